/** An AdmissionReview as an API server sends it; `request` members are put over the usual ones, undefined removes one. */
export function reviewBody(
  request: Record<string, unknown> = {},
  envelope: Record<string, unknown> = {},
): Buffer {
  return Buffer.from(
    JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid: 'u-1',
        kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        resource: { group: 'apps', version: 'v1', resource: 'deployments' },
        requestKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        name: 'web',
        namespace: 'shop',
        operation: 'CREATE',
        userInfo: { username: 'ana', uid: '7', groups: ['dev'], extra: { scope: ['a', 'b'] } },
        object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } },
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
        ...request,
      },
      ...envelope,
    }),
  );
}
