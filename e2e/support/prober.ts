import type { Cluster } from './cluster.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';
import { createReviewClient, type Judgement, type ReviewClient } from './review-client.ts';
import type { Replica } from './replicas.ts';
import { waitUntil } from './wait-until.ts';

/** Asks every gate thread of every replica the same. */
export interface Prober {
  /** All judgements, `connections` of each replica that runs now. */
  ask(object: KubernetesObject): Promise<readonly Judgement[]>;
  /** Milliseconds until all judgements are as wanted. */
  until(
    what: string,
    object: KubernetesObject,
    isWanted: (judgement: Judgement) => boolean,
    within?: number,
  ): Promise<number>;
  close(): void;
}

/** Enough connections that none of two gate threads is likely to be without one. */
const CONNECTIONS = 4;

export function createProber({ replicas, authority }: Cluster): Prober {
  const clients = new Map<string, ReviewClient>();

  function clientOf({ name, port }: Replica): ReviewClient {
    const known = clients.get(name) ?? createReviewClient(`https://127.0.0.1:${port}`, authority.pem);
    clients.set(name, known);
    return known;
  }

  const ask: Prober['ask'] = async (object) => {
    const asked = replicas.all().flatMap((replica) => {
      const client = clientOf(replica);
      return Array.from({ length: CONNECTIONS }, () => client.ask(object));
    });
    return Promise.all(asked);
  };
  return {
    ask,
    async until(what, object, isWanted, within = 30_000) {
      const began = performance.now();
      await waitUntil(async () => (await ask(object)).every(isWanted), { what, within, every: 10 });
      return performance.now() - began;
    },
    close() {
      for (const client of clients.values()) client.close();
    },
  };
}
