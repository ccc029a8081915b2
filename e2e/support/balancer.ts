import { createServer, connect, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Backend {
  readonly name: string;
  /** At 127.0.0.1. */
  readonly port: number;
  /** Whether the backend may get new connections; a probe that throws means no. It has its own time limit. */
  readonly probe: () => Promise<boolean>;
}

export interface BalancerOptions {
  readonly backends?: readonly Backend[];
  /** Default: any free port. */
  readonly port?: number;
  /** Milliseconds between two probes of one backend; default 100. */
  readonly probeEvery?: number;
}

/** What became of the connections since the start. */
export interface BalancerCounts {
  readonly accepted: number;
  /** Closed at once because no backend was in the rotation. */
  readonly unserved: number;
  /** The chosen backend refused or broke off before the connection stood. */
  readonly refused: number;
}

export interface Balancer {
  readonly port: number;
  /** Resolves after the first probe. */
  add(backend: Backend): Promise<void>;
  /** Takes a backend out of the rotation for good; its connections are kept. */
  remove(name: string): void;
  /** Names of the backends that get new connections, in the order in which they were added. */
  rotation(): readonly string[];
  /** Open connections of a backend, also after it left the rotation. */
  connections(name: string): number;
  counts(): BalancerCounts;
  /** Ends all connections. */
  close(): Promise<void>;
}

interface Member {
  readonly backend: Backend;
  ready: boolean;
  removed: boolean;
}

/**
 * A TCP balancer at 127.0.0.1 that behaves like a Service: new connections go round the ready backends, existing ones
 * are left alone whatever happens to the rotation, and a refused connection is not tried elsewhere.
 */
export async function startBalancer(options: BalancerOptions = {}): Promise<Balancer> {
  const members: Member[] = [];
  const sockets = new Map<string, Set<Socket>>();
  const counts = { accepted: 0, unserved: 0, refused: 0 };
  const closing = new AbortController();
  let turn = 0;

  const ready = (): Member[] => members.filter((member) => member.ready && !member.removed);
  const server = createServer({ allowHalfOpen: true }, (client) => {
    counts.accepted += 1;
    const candidates = ready();
    const chosen = candidates[turn++ % candidates.length];
    if (chosen === undefined) {
      counts.unserved += 1;
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const { name, port } = chosen.backend;
    const open = sockets.get(name) ?? new Set();
    sockets.set(name, open.add(client));
    client.once('close', () => open.delete(client));
    joinSockets(client, port, () => {
      counts.refused += 1;
    });
  });

  const follow = async (member: Member): Promise<void> => {
    while (!member.removed && !closing.signal.aborted) {
      await sleep(options.probeEvery ?? 100, undefined, { ref: false, signal: closing.signal }).catch(
        () => undefined,
      );
      member.ready = await passes(member.backend);
    }
  };
  const add = async (backend: Backend): Promise<void> => {
    const member = { backend, ready: await passes(backend), removed: false };
    members.push(member);
    void follow(member);
  };
  await Promise.all((options.backends ?? []).map(add));
  const port = await listen(server, options.port ?? 0);

  return {
    port,
    add,
    remove: (name) => {
      for (const member of members) if (member.backend.name === name) member.removed = true;
    },
    rotation: () => ready().map((member) => member.backend.name),
    connections: (name) => sockets.get(name)?.size ?? 0,
    counts: () => ({ ...counts }),
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        for (const open of sockets.values()) for (const socket of open) socket.destroy();
      }),
  };
}

// Half-open on both sides, so that the end of one direction passes through as what it is.
function joinSockets(client: Socket, port: number, onRefused: () => void): void {
  const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let connected = false;
  upstream.once('connect', () => {
    connected = true;
    client.pipe(upstream).pipe(client);
  });
  client.setNoDelay(true);
  upstream.setNoDelay(true);
  client.on('error', () => upstream.resetAndDestroy()).once('close', () => upstream.destroySoon());
  upstream
    .on('error', () => {
      if (!connected) onRefused();
      client.resetAndDestroy();
    })
    .once('close', () => client.destroySoon());
}

async function passes(backend: Backend): Promise<boolean> {
  try {
    return await backend.probe();
  } catch {
    return false;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
