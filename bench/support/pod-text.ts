/** The JSON of the n-th of many pods, about 6 KiB as in a cluster of today. Items of a list have no kind of their own. */
export function podText(index: number, kind?: 'kind'): string {
  const head = kind === undefined ? '{' : '{"kind":"Pod","apiVersion":"v1",';
  return head + TEMPLATE.replaceAll('NUMBER', String(index).padStart(6, '0')).slice(1);
}

const time = '2026-11-01T10:00:00Z';
const quantity = { cpu: '250m', memory: '256Mi' };
const probe = {
  httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
  periodSeconds: 10,
  timeoutSeconds: 1,
};
const mounts = ['config', 'cache', 'kube-api-access-NUMBER'].map((name) => ({
  name,
  mountPath: `/var/run/${name}`,
  readOnly: true,
}));
const container = (name: string): object => ({
  name,
  image: `registry.example.test/team/${name}:1.27.NUMBER`,
  args: ['--listen=:8080', '--log-level=info', '--config=/etc/app/config.yaml'],
  ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
  env: Array.from({ length: 8 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `value-of-setting-${index}`,
  })),
  resources: { limits: quantity, requests: quantity },
  livenessProbe: probe,
  readinessProbe: probe,
  volumeMounts: mounts,
  securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  terminationMessagePath: '/dev/termination-log',
  imagePullPolicy: 'IfNotPresent',
});
const status = (name: string): object => ({
  name,
  image: `registry.example.test/team/${name}:1.27.NUMBER`,
  imageID: `registry.example.test/team/${name}@sha256:${'0123456789abcdef'.repeat(4)}`,
  containerID: `containerd://${'fedcba9876543210'.repeat(4)}`,
  ready: true,
  restartCount: 0,
  started: true,
  state: { running: { startedAt: time } },
});
const managed = (manager: string): object => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time,
  fieldsType: 'FieldsV1',
  fieldsV1: Object.fromEntries(
    ['metadata', 'spec', 'status'].map((part) => [
      `f:${part}`,
      Object.fromEntries(
        Array.from({ length: 6 }, (_, index) => [`f:field${index}`, { '.': {}, 'f:value': {} }]),
      ),
    ]),
  ),
});

const TEMPLATE = JSON.stringify({
  metadata: {
    name: 'web-frontend-7d4b9c6f5d-NUMBER',
    generateName: 'web-frontend-7d4b9c6f5d-',
    namespace: 'team-NUMBER',
    uid: '5f2b1c3d-0000-4000-8000-000000NUMBER',
    resourceVersion: 'NUMBER',
    creationTimestamp: time,
    labels: { app: 'web-frontend', 'pod-template-hash': '7d4b9c6f5d', tier: 'frontend', release: 'r-NUMBER' },
    annotations: { 'checksum/config': '0123456789abcdef'.repeat(4), 'prometheus.io/scrape': 'true' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web-frontend-7d4b9c6f5d',
        uid: '5f2b1c3d-0000-4000-8000-000000000000',
        controller: true,
      },
    ],
    managedFields: ['kube-controller-manager', 'kubelet'].map(managed),
  },
  spec: {
    containers: ['app', 'sidecar'].map(container),
    volumes: mounts.map(({ name }) => ({ name, configMap: { name, defaultMode: 420 } })),
    nodeName: 'node-NUMBER.cluster.example.test',
    serviceAccountName: 'web-frontend',
    restartPolicy: 'Always',
    tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
  },
  status: {
    phase: 'Running',
    podIP: '10.1.2.3',
    hostIP: '10.0.0.1',
    startTime: time,
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: time,
    })),
    containerStatuses: ['app', 'sidecar'].map(status),
  },
});
