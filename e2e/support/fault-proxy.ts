import { createServer, connect, type Socket } from 'node:net';
import {
  createFaultyConnection,
  type FaultKind,
  type FaultyConnection,
  type Pace,
} from './faulty-connection.ts';
import { createSeededRandom } from './seeded-random.ts';

/** Every connection gets one fault, after as many bytes as chance says. */
export interface RandomFaults {
  /** The n-th connection has the same fault after the same number of bytes in every run with this seed. */
  readonly seed: number;
  /** Mean of the exponentially distributed number of bytes, of both directions, before the fault. */
  readonly meanBytes: number;
  /** Default: all. */
  readonly kinds?: readonly FaultKind[];
}

export interface FaultProxyOptions {
  /** Port of 127.0.0.1 that it stands before. */
  readonly target: number;
  /** Default: any free port. */
  readonly port?: number;
  /** From the first connection on; default: none. */
  readonly random?: RandomFaults;
}

export interface FaultProxy {
  readonly port: number;
  /** Does that to every open connection now; returns how many there were. */
  inject(kind: FaultKind): number;
  /** With `false`, new connections are reset at once; open ones are left alone. */
  accept(accepting: boolean): void;
  /** Holds every byte back, of open and of new connections, until `resume`; nothing is lost. */
  hold(): void;
  resume(): void;
  /** From now on, for open and new connections; default none of both. */
  setPace(pace: Pace): void;
  /** For connections that are opened from now on. */
  setRandom(faults: RandomFaults | undefined): void;
  /** Open connections. */
  connections(): number;
  /** Since the start: connections accepted, refused, and faults by kind. */
  counts(): Readonly<Record<FaultKind | 'accepted' | 'refused', number>>;
  /** Ends all connections. */
  close(): Promise<void>;
}

const KINDS: readonly FaultKind[] = ['cut', 'half-close', 'stall', 'slow', 'repeat', 'swap'];

/**
 * A TCP proxy at 127.0.0.1 that breaks connections on command or at random. Under TLS repeated and swapped bytes are a broken
 * record, so the peer ends the connection; on plain TCP they arrive as they are.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const open = new Set<FaultyConnection>();
  const faults = { cut: 0, 'half-close': 0, stall: 0, slow: 0, repeat: 0, swap: 0 };
  const connections = { accepted: 0, refused: 0 };
  let accepting = true;
  let pace: Pace = {};
  let held: PromiseWithResolvers<void> | undefined;
  let random = options.random;

  const server = createServer({ allowHalfOpen: true }, (client: Socket) => {
    if (!accepting) {
      connections.refused += 1;
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    connections.accepted += 1;
    const plan = random === undefined ? undefined : planFault(random, connections.accepted);
    const connection = createFaultyConnection({
      client,
      upstream: connect({ port: options.target, host: '127.0.0.1', allowHalfOpen: true }),
      pace: () => pace,
      held: () => held?.promise,
      onFault: (kind) => {
        faults[kind] += 1;
      },
      ...(plan === undefined ? {} : { plan }),
    });
    open.add(connection);
    void connection.closed.then(() => open.delete(connection));
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const resume = (): void => {
    held?.resolve();
    held = undefined;
  };
  return {
    port,
    inject: (kind) => {
      const all = [...open];
      for (const connection of all) connection.inject(kind);
      return all.length;
    },
    accept: (value) => {
      accepting = value;
    },
    hold: () => {
      held ??= Promise.withResolvers();
    },
    resume,
    setPace: (value) => {
      pace = value;
    },
    setRandom: (value) => {
      random = value;
    },
    connections: () => open.size,
    counts: () => ({ ...connections, ...faults }),
    close: async () => {
      resume();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of open) connection.destroy();
      await closed;
    },
  };
}

// Of the seed and the connection's number alone, so that it does not depend on what other connections did.
function planFault(
  { seed, meanBytes, kinds = KINDS }: RandomFaults,
  connection: number,
): { readonly kind: FaultKind; readonly afterBytes: number } | undefined {
  const next = createSeededRandom(seed + connection * 0x9e3779b1);
  const kind = kinds[Math.floor(next() * kinds.length)];
  if (kind === undefined) return undefined;
  return { kind, afterBytes: Math.ceil(-Math.log(1 - next()) * meanBytes) };
}
