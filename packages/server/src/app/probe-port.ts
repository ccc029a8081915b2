import { createServer } from 'node:net';
import { Fault } from '../kernel/fault.ts';

/**
 * Gate threads share their port, and the kernel would let a second server share it too, unnoticed. Asking for it alone once
 * tells whether another process has it.
 */
export function probePort(host: string, port: number): Promise<Fault | undefined> {
  const { promise, resolve } = Promise.withResolvers<Fault | undefined>();
  const server = createServer();
  server.on('error', (error) => {
    resolve(new Fault('PC_LISTEN', `cannot listen on ${host}:${port}: ${error.message}`, { cause: error }));
  });
  server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  return promise;
}
