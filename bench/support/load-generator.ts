import { fork } from 'node:child_process';
import { join } from 'node:path';
import { pinned, type Core } from './pinned.ts';
import type { LoadOrder, LoadResult } from './load-protocol.ts';

const ENTRY = join(import.meta.dirname, 'load-generator-process.ts');
/** From here on the generator is what limits the figures. */
const FULL_LOAD = 0.97;

export interface LoadGenerator {
  /** Rejects when a single answer was not the expected one: a benchmark of failures is worth nothing. */
  run(order: LoadOrder): Promise<LoadResult>;
  close(): void;
}

/** A process of its own, so that it competes with the server for the machine only. It is kept warm between runs. */
export function startLoadGenerator(core?: Core): LoadGenerator {
  const [command = '', ...args] = pinned(core);
  const child = fork(ENTRY, {
    execPath: command,
    execArgv: args,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.unref();
  child.channel?.unref();

  return {
    async run(order) {
      const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
      child.channel?.ref();
      const ended = (): void => reject(new Error('the load generator ended'));
      child.once('exit', ended);
      child.once('message', (answer: { readonly result?: LoadResult; readonly problem?: string }) => {
        if (answer.result === undefined) reject(new Error(`the load generator: ${answer.problem}`));
        else resolve(answer.result);
      });
      child.send(order);
      try {
        const result = await promise;
        assertSound(result);
        return result;
      } finally {
        child.off('exit', ended);
        child.channel?.unref();
      }
    },
    close: () => void child.kill(),
  };
}

function assertSound(result: LoadResult): void {
  if (result.errors > 0) {
    throw new Error(
      `${result.errors} of ${result.requests} answers were wrong; the first: ${result.firstError}`,
    );
  }
  if (result.requests === 0) throw new Error('no answer came in time');
  if (result.ownLoad > FULL_LOAD) {
    process.stderr.write(`the load generator was busy ${Math.round(result.ownLoad * 100)} % of the time\n`);
  }
}
