import type { Runtime } from './ports.ts';

/** Waits; ends at once when the signal aborts. Resolves in both cases. */
export function pause(
  runtime: Pick<Runtime, 'after'>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = runtime.after(milliseconds, done);
  function done(): void {
    cancel();
    signal?.removeEventListener('abort', done);
    resolve();
  }
  signal?.addEventListener('abort', done);
  return promise;
}
