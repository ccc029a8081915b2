import { styleText } from 'node:util';
import { printable } from './printable.ts';

/** Where a command writes, made printable. Standard output is for results, standard error for everything else. */
export interface CommandIo {
  out(text: string): void;
  err(text: string): void;
  /** Colours, on a terminal only. */
  paint(style: Parameters<typeof styleText>[0], text: string): string;
}

/** What a shell sees of a command. */
export const EXIT = { ok: 0, denied: 1, badInput: 2 } as const;

/** A command's work: resolves to its exit code. */
export type Run<A> = (given: A, io: CommandIo) => Promise<number>;

export function createCommandIo(out: NodeJS.WriteStream, err: NodeJS.WriteStream): CommandIo {
  return {
    out: (text) => void out.write(printable(text)),
    err: (text) => void err.write(printable(text)),
    // Honours NO_COLOR and FORCE_COLOR as well.
    paint: (style, text) => styleText(style, text, { stream: out, validateStream: true }),
  };
}
