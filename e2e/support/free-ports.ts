import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which Linux takes the local ports of outgoing connections (32768 and up),
// so that nothing grabs a port between the choice and its use.
const FIRST = 20_000;
const LAST = 32_000;

/** Chooses `count` different TCP ports on which nothing listens at 127.0.0.1. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Chooses one TCP port on which nothing listens at 127.0.0.1. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port ?? freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
