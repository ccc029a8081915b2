import { randomUUID } from 'node:crypto';
import { createHttpsClient } from './https-client.ts';
import { at, type KubernetesObject } from './kubernetes-objects.ts';

/** What a server says to a review. */
export interface Judgement {
  readonly allowed: boolean;
  /** Why not; empty when it is allowed. */
  readonly message: string;
}

/** Asks a server or a balancer directly, as an API server would. */
export interface ReviewClient {
  /** Throws when no judgement comes back. */
  ask(object: KubernetesObject): Promise<Judgement>;
  close(): void;
}

/** Each client keeps its connections, and with them the gate threads that it reaches. */
export function createReviewClient(url: string, caPem: string): ReviewClient {
  const client = createHttpsClient({ url, caPem });
  return {
    async ask(object) {
      const { status, text, body } = await client.request('POST', '/admission/validate', reviewOf(object));
      const allowed = at(body, 'response', 'allowed');
      if (status !== 200 || typeof allowed !== 'boolean') throw new Error(`no judgement: ${status} ${text}`);
      const message = at(body, 'response', 'status', 'message');
      return { allowed, message: typeof message === 'string' ? message : '' };
    },
    close: () => client.close(),
  };
}

/** The review of the creation of a pod. */
function reviewOf(object: KubernetesObject): object {
  const kind = { group: '', version: 'v1', kind: object.kind };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: object.metadata.name,
      namespace: object.metadata.namespace,
      operation: 'CREATE',
      userInfo: { username: 'alice', groups: ['system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
    },
  };
}
