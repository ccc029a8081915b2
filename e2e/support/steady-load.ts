import type { KubeApiserver } from './kube-apiserver.ts';
import { collectionPath, type KubernetesObject } from './kubernetes-objects.ts';

export interface LoadResult {
  readonly requests: number;
  /** Every answer that was not the expected one, with its text. */
  readonly failures: readonly string[];
}

export interface SteadyLoad {
  /** Requests answered so far. */
  count(): number;
  stop(): Promise<LoadResult>;
}

export interface LoadOptions {
  readonly kube: KubeApiserver;
  /** The n-th object to create, as a dry run. */
  readonly object: (index: number) => KubernetesObject;
  readonly expected: (index: number) => number;
  readonly workers: number;
}

/** Creates objects as dry runs, several at a time, until it is stopped. */
export function startLoad({ kube, object, expected, workers }: LoadOptions): SteadyLoad {
  const failures: string[] = [];
  let requests = 0;
  let next = 0;
  const stop = new AbortController();

  async function work(): Promise<void> {
    while (!stop.signal.aborted) {
      const index = next;
      next += 1;
      const made = object(index);
      const answer = await kube
        .request('POST', `${collectionPath(made)}?dryRun=All`, made)
        .catch((error: unknown) => ({ status: 0, text: String(error) }));
      requests += 1;
      if (answer.status !== expected(index)) failures.push(`${answer.status}: ${answer.text}`);
    }
  }

  const all = Array.from({ length: workers }, work);
  return {
    count: () => requests,
    async stop() {
      stop.abort();
      await Promise.all(all);
      return { requests, failures };
    },
  };
}
