import { Fault } from '../../kernel/fault.ts';

const NEWLINE = 0x0a;

/** Cuts a stream of bytes at `\n`. A line is told when its newline has come; what is left at the end is half an event. */
export interface LineSplitter {
  /** The fault of `onLine`, or of a line that is too long. */
  push(chunk: Buffer): Fault | undefined;
}

/** A line may span chunks and a chunk may hold many; bytes, for a chunk may end inside a character. */
export function createLineSplitter(
  maxBytes: number,
  onLine: (line: Buffer) => Fault | undefined,
): LineSplitter {
  let parts: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer): Fault | undefined => {
    parts.push(part);
    length += part.length;
    return length > maxBytes
      ? new Fault('PC_KUBE_ANSWER', `a line of the watch is longer than ${maxBytes} bytes`)
      : undefined;
  };
  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        const tooLong = keep(chunk.subarray(start, end));
        if (tooLong !== undefined) return tooLong;
        const line = parts.length === 1 ? parts[0] : Buffer.concat(parts);
        parts = [];
        length = 0;
        start = end + 1;
        const fault = line === undefined || line.length === 0 ? undefined : onLine(line);
        if (fault !== undefined) return fault;
      }
      return start < chunk.length ? keep(chunk.subarray(start)) : undefined;
    },
  };
}
