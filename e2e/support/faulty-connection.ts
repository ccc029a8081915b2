import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What can happen to a connection:
 * - `cut`: reset, on both sides
 * - `half-close`: the direction in which the next byte comes ends, as if its sender had closed; the other one goes on
 * - `stall`: stays open, and no byte passes any more
 * - `slow`: 1 KiB a second from now on
 * - `repeat`: the next bytes come twice
 * - `swap`: the next bytes come in the wrong order
 */
export type FaultKind = 'cut' | 'half-close' | 'stall' | 'slow' | 'repeat' | 'swap';

export interface Pace {
  /** Milliseconds that every piece is held back; default none. */
  readonly delay?: number;
  /** Of each direction of each connection; default unlimited. */
  readonly bytesPerSecond?: number;
}

export interface FaultyConnectionOptions {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly pace: () => Pace;
  /** Awaited before every piece; `undefined` when nothing is held. */
  readonly held: () => Promise<void> | undefined;
  readonly onFault: (kind: FaultKind) => void;
  /** Happens by itself when so many bytes have passed. */
  readonly plan?: { readonly kind: FaultKind; readonly afterBytes: number };
}

export interface FaultyConnection {
  readonly closed: Promise<void>;
  inject(kind: FaultKind): void;
  destroy(): void;
}

const SLOW_BYTES_PER_SECOND = 1024;

/** Joins two sockets, which both must allow half-open connections, and does to what passes what it is told. */
export function createFaultyConnection(options: FaultyConnectionOptions): FaultyConnection {
  const { client, upstream, plan } = options;
  const stalled = Promise.withResolvers<void>();
  let passed = 0;
  let planned = plan;
  let next: 'half-close' | 'repeat' | 'swap' | undefined;
  let slow = false;
  let stall = false;

  const destroy = (): void => {
    client.destroy();
    upstream.destroy();
  };
  const inject = (kind: FaultKind): void => {
    options.onFault(kind);
    if (kind === 'cut') {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    } else if (kind === 'stall') stall = true;
    else if (kind === 'slow') slow = true;
    else next = kind;
  };

  /** Cuts a piece where the planned fault is due, so that it hits at that very byte. */
  function split(piece: Buffer): Buffer[] {
    const due = planned === undefined ? Infinity : planned.afterBytes - passed;
    return due > 0 && due < piece.length ? [piece.subarray(0, due), piece.subarray(due)] : [piece];
  }

  /** Waits as long as the pace says; one piece may be sent in parts. */
  async function* paced(piece: Buffer): AsyncGenerator<Buffer> {
    const { delay, bytesPerSecond } = options.pace();
    if (delay !== undefined) await sleep(delay, undefined, { ref: false });
    const rate = slow ? SLOW_BYTES_PER_SECOND : bytesPerSecond;
    // Twenty parts a second: what is slow must trickle, not come in lumps.
    const size = rate === undefined ? piece.length : Math.max(1, Math.ceil(rate / 20));
    for (let start = 0; start < piece.length; start += size) {
      if (rate !== undefined) await sleep(50, undefined, { ref: false });
      yield piece.subarray(start, start + size);
    }
  }

  async function gate(): Promise<void> {
    await options.held();
    if (stall) await stalled.promise;
  }

  async function pass(from: Socket, to: Socket): Promise<void> {
    // The iterator must not destroy a socket whose other direction still lives.
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('a socket with an encoding cannot be passed on');
      for (const piece of split(chunk)) {
        if (planned !== undefined && passed >= planned.afterBytes) {
          inject(planned.kind);
          planned = undefined;
        }
        await gate();
        if (next === 'half-close') {
          next = undefined;
          to.end();
          return void from.resume();
        }
        const altered = next === undefined ? piece : alter(piece, next);
        next = undefined;
        for await (const part of paced(altered)) await write(to, part);
        passed += piece.length;
      }
    }
    await gate();
    to.end();
  }

  // A side that breaks breaks the other: nothing else would tell it.
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.setNoDelay(true);
    socket.on('error', () => other.resetAndDestroy());
    pass(socket, other).catch(() => other.resetAndDestroy());
  }
  const closed = Promise.all([client, upstream].map(isClosed)).then(() => stalled.resolve());
  return { closed, inject, destroy };
}

function alter(piece: Buffer, kind: 'repeat' | 'swap'): Buffer {
  const middle = Math.ceil(piece.length / 2);
  return Buffer.concat(
    kind === 'repeat' ? [piece, piece] : [piece.subarray(middle), piece.subarray(0, middle)],
  );
}

async function write(socket: Socket, part: Buffer): Promise<void> {
  if (socket.destroyed) throw new Error('the other side is gone');
  await new Promise<void>((resolve, reject) => {
    socket.write(part, (error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

function isClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}
