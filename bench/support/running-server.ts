import { connect } from 'node:net';
import { startChildProcess, tail, type ChildProcess } from '../../e2e/support/child-process.ts';
import { waitUntil } from '../../e2e/support/wait-until.ts';

/** A server in a process of its own. */
export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Waits until `isUp` holds; the error of a server that does not come up ends with its log. */
export async function whenUp(
  child: ChildProcess,
  what: string,
  isUp: () => boolean | Promise<boolean>,
): Promise<void> {
  try {
    const outcome = await waitUntil(async () => child.exit() ?? (await isUp()), { what, every: 2 });
    if (outcome !== true)
      throw new Error(`${what} ended with ${outcome.signal ?? `exit code ${outcome.code}`}`);
  } catch (error) {
    await child.kill();
    throw new Error(`${what} did not come up; the end of its log:\n${tail(child.logs())}`, { cause: error });
  }
}

export async function startServer(
  [command = '', ...args]: readonly string[],
  port: number,
  logFile: string,
): Promise<RunningServer> {
  const child = await startChildProcess({ command, args, logFile });
  await whenUp(child, args.join(' '), () => accepts(port));
  return { port, pid: child.pid, stop: async () => void (await child.stop()) };
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', () => resolve(false));
  return promise;
}
