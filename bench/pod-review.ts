/** The review of a created pod as an API server sends it, about 5.6 KB when compact. */
export function podReview(indent?: number): Buffer {
  return Buffer.from(JSON.stringify(review(), undefined, indent));
}

function review(): object {
  const pods = { group: '', version: 'v1', kind: 'Pod' };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: '5f3b1f0e-7d1c-4e55-9a7e-0c1f1f1d9b11',
      kind: pods,
      resource,
      requestKind: pods,
      requestResource: resource,
      name: 'checkout-6d4f8b7c9d-x2x7q',
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        uid: '0b7f3a52-2a8f-4d76-8a55-4c7f0f3c9a10',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': ['JTI=4c7f0f3c-9a10-4d76-8a55-0b7f3a522a8f'] },
      },
      object: pod(),
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}

function pod(): object {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: 'checkout-6d4f8b7c9d-x2x7q',
      generateName: 'checkout-6d4f8b7c9d-',
      namespace: 'shop',
      uid: 'a0d1c2b3-1111-4222-8333-444455556666',
      creationTimestamp: '2026-11-02T09:15:31Z',
      labels: {
        'app.kubernetes.io/name': 'checkout',
        'app.kubernetes.io/version': '3.14.2',
        'app.kubernetes.io/part-of': 'shop',
        'pod-template-hash': '6d4f8b7c9d',
        team: 'payments',
      },
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '9090',
        'checksum/config': 'a3f5c1e0d9b8a7968574635241302f1e0d9c8b7a6958473625140392817f6e5d',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'checkout-6d4f8b7c9d',
          uid: '77777777-8888-4999-8aaa-bbbbccccdddd',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [managedFields()],
    },
    spec: {
      volumes: [
        { name: 'config', configMap: { name: 'checkout-config', defaultMode: 420 } },
        { name: 'tmp', emptyDir: {} },
        {
          name: 'kube-api-access-7zqvx',
          projected: {
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              {
                downwardAPI: {
                  items: [
                    { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
                  ],
                },
              },
            ],
            defaultMode: 420,
          },
        },
      ],
      containers: [container('checkout', 8080), container('metrics-agent', 9090)],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'checkout',
      serviceAccount: 'checkout',
      securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001 },
      schedulerName: 'default-scheduler',
      tolerations: [
        {
          key: 'node.kubernetes.io/not-ready',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
        {
          key: 'node.kubernetes.io/unreachable',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
      ],
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'checkout' } },
        },
      ],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {},
  };
}

function container(name: string, port: number): object {
  return {
    name,
    image: `registry.example.test/shop/${name}:3.14.2`,
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    ],
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '250m', memory: '256Mi' } },
    volumeMounts: [
      { name: 'config', readOnly: true, mountPath: '/etc/checkout' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
    livenessProbe: {
      httpGet: { path: '/healthz', port, scheme: 'HTTP' },
      initialDelaySeconds: 10,
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    readinessProbe: {
      httpGet: { path: '/ready', port, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 5,
      successThreshold: 1,
      failureThreshold: 3,
    },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: {
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
    },
  };
}

function managedFields(): object {
  const containerFields = {
    '.': {},
    'f:image': {},
    'f:imagePullPolicy': {},
    'f:name': {},
    'f:resources': {},
  };
  return {
    manager: 'kube-controller-manager',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-02T09:15:31Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': {
        'f:generateName': {},
        'f:labels': { '.': {}, 'f:pod-template-hash': {}, 'f:team': {} },
        'f:ownerReferences': { '.': {}, 'k:{"uid":"77777777-8888-4999-8aaa-bbbbccccdddd"}': {} },
      },
      'f:spec': {
        'f:containers': {
          'k:{"name":"checkout"}': containerFields,
          'k:{"name":"metrics-agent"}': containerFields,
        },
        'f:dnsPolicy': {},
        'f:restartPolicy': {},
        'f:schedulerName': {},
        'f:volumes': { '.': {}, 'k:{"name":"config"}': { '.': {}, 'f:name': {} } },
      },
    },
  };
}
