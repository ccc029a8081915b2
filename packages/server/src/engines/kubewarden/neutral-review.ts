import type { KubewardenInput } from './kubewarden-input.ts';
import type { KubewardenMetadata } from './kubewarden-metadata.ts';

const HEAD = Buffer.from('{"request":');
const PODS = { group: '', version: 'v1', resource: 'pods' };
const POD = { group: '', version: 'v1', kind: 'Pod' };
const UID = '00000000-0000-0000-0000-000000000000';

/** A pod of nobody's. */
const KUBERNETES = Buffer.from(
  JSON.stringify({
    uid: UID,
    kind: POD,
    resource: PODS,
    requestKind: POD,
    requestResource: PODS,
    name: 'warm-up',
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'portcullis:warm-up', groups: ['system:authenticated'] },
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'warm-up', namespace: 'default', labels: {}, annotations: {} },
      spec: { containers: [{ name: 'main', image: 'registry.invalid/warm-up:v1' }] },
    },
    dryRun: true,
  }),
);
const RAW = Buffer.from(JSON.stringify({ uid: UID }));

/** What guests are asked first, so that they set themselves up; nothing of a user's is in it but the settings. */
export function neutralPayload(
  tail: Uint8Array,
  policyType: KubewardenMetadata['policyType'],
): KubewardenInput {
  return [HEAD, policyType === 'raw' ? RAW : KUBERNETES, tail];
}
