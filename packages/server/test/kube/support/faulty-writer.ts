import type { ServerResponse } from 'node:http';

/** What happens to the body of an answer. */
export type BodyFault =
  /** The connection breaks after so many bytes. */
  | { readonly kind: 'cut'; readonly after: number }
  /** Nothing comes any more after so many bytes, and nothing ends. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The answer ends in order after so many bytes, in the middle of whatever it was. */
  | { readonly kind: 'end'; readonly after: number }
  /** Pieces of so many bytes, one at a time. */
  | { readonly kind: 'slow'; readonly bytes: number }
  /** Every line twice. */
  | { readonly kind: 'twice' }
  /** Two bytes of this line change places. */
  | { readonly kind: 'swap'; readonly line: number; readonly at: number };

export interface FaultyWriter {
  line(text: string): void;
  end(): void;
}

export function createFaultyWriter(response: ServerResponse, fault: BodyFault | undefined): FaultyWriter {
  let written = 0;
  let lines = 0;
  let isDone = false;
  let queue: Promise<void> = Promise.resolve();

  const cutOff = (): void => {
    isDone = true;
    if (fault?.kind === 'cut') setImmediate(() => response.socket?.destroy());
    if (fault?.kind === 'end') response.end();
  };
  const write = (bytes: Buffer): void => {
    if (isDone) return;
    const limit = fault !== undefined && 'after' in fault ? fault.after : Infinity;
    const allowed = bytes.subarray(0, Math.max(0, limit - written));
    written += bytes.length;
    if (allowed.length > 0) response.write(allowed);
    if (written >= limit) cutOff();
  };
  const dribble = (bytes: Buffer, size: number): void => {
    for (let at = 0; at < bytes.length; at += size) {
      queue = queue.then(() => new Promise((resolve) => void setImmediate(resolve)));
      queue = queue.then(() => void response.write(bytes.subarray(at, at + size)));
    }
  };

  return {
    line(text) {
      const bytes = Buffer.from(`${text}\n`);
      lines += 1;
      if (fault?.kind === 'swap' && lines === fault.line) swap(bytes, fault.at % (bytes.length - 1));
      if (fault?.kind === 'slow') dribble(bytes, fault.bytes);
      else write(bytes);
      if (fault?.kind === 'twice') write(bytes);
    },
    end() {
      if (isDone) return;
      isDone = true;
      queue = queue.then(() => void response.end());
    },
  };
}

function swap(bytes: Buffer, at: number): void {
  const first = bytes[at] ?? 0;
  bytes[at] = bytes[at + 1] ?? 0;
  bytes[at + 1] = first;
}
