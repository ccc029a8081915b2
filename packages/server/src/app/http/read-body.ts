import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refusal.ts';

export interface BodyReader {
  /** Asked for each chunk, with the bytes so far: an answer refuses the body and ends the reading. */
  readonly check: (bytes: number, total: number) => Refusal | undefined;
  /** The whole body. */
  readonly done: (body: Buffer) => void;
  /** What still comes is not kept. */
  readonly refused: (refusal: Refusal) => void;
  /** The client went away before its body was complete. */
  readonly aborted: () => void;
}

/** Collects a body. A body that came as one chunk, as most reviews do, is passed on without a copy. */
export function readBody(request: IncomingMessage, reader: BodyReader): void {
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let total = 0;
  let over = false;

  request.on('data', (chunk: Buffer) => {
    if (over) return;
    total += chunk.length;
    const refusal = reader.check(chunk.length, total);
    if (refusal !== undefined) {
      over = true;
      first = undefined;
      more = undefined;
      reader.refused(refusal);
    } else if (first === undefined) {
      first = chunk;
    } else {
      (more ??= [first]).push(chunk);
    }
  });
  request.on('end', () => {
    if (over) return;
    over = true;
    reader.done(more === undefined ? (first ?? EMPTY) : Buffer.concat(more, total));
  });
  request.on('close', () => {
    if (over) return;
    over = true;
    reader.aborted();
  });
  // `close` follows; without a listener the error would end the thread.
  request.on('error', () => undefined);
}

const EMPTY = Buffer.alloc(0);

/** Reads on without keeping anything, so that the client gets to see an early answer; gives up after `allowance` bytes. */
export function discardBody(request: IncomingMessage, allowance: number): void {
  let left = allowance;
  request.on('error', () => undefined);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
}
