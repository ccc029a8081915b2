import type { KubeResource } from '../../kube/resource.ts';

const GROUP = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false } as const;

export const VALIDATING_CONFIGURATIONS: KubeResource = {
  ...GROUP,
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
};

export const MUTATING_CONFIGURATIONS: KubeResource = {
  ...GROUP,
  plural: 'mutatingwebhookconfigurations',
  kind: 'MutatingWebhookConfiguration',
};

export const CONFIG_MAPS: KubeResource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
