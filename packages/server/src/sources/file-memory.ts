import { readFile } from 'node:fs/promises';
import { sha256 } from '../kernel/digest.ts';
import type { FaultCode } from '../kernel/fault.ts';
import { isFault, type Fault } from '../kernel/fault.ts';
import { inLanes } from '../kernel/in-lanes.ts';
import { attempt } from '../kernel/result.ts';
import { settledState } from './file-state.ts';

export interface FileMemoryOptions<T> {
  /** Milliseconds since 1970. Absent: every file is read at every reading; it is parsed again only when its bytes changed. */
  readonly wall?: () => number;
  /** Code and start of the message when a file cannot be read. */
  readonly code: FaultCode;
  readonly what: string;
  readonly parse: (path: string, bytes: Uint8Array) => T;
}

/** Files that are parsed once for each content that they have. */
export interface FileMemory<T> {
  /** What the files say now, in their order: the same object again where nothing changed. Others are forgotten. */
  read(paths: readonly string[]): Promise<readonly FileAnswer<T>[]>;
}

export interface FileAnswer<T> {
  readonly path: string;
  readonly answer: T | Fault;
}

/** Open files at a time. */
const LANES = 16;

interface Known<T> {
  /** Undefined when the file was too young to be recognised by its state. */
  readonly state: string | undefined;
  readonly digest: string;
  readonly answer: T;
}

export function createFileMemory<T>(options: FileMemoryOptions<T>): FileMemory<T> {
  const { wall, parse } = options;
  let known: ReadonlyMap<string, Known<T>> = new Map();

  async function look(path: string): Promise<Known<T> | Fault> {
    const before = known.get(path);
    // Asked before the file is read: what is written in between makes a state that differs from this one.
    const state = wall === undefined ? undefined : await settledState(path, wall());
    if (before !== undefined && state !== undefined && before.state === state) return before;
    const bytes = await attempt(options.code, `${options.what} \`${path}\``, () => readFile(path));
    if (isFault(bytes)) return bytes;
    const digest = sha256(bytes);
    return { state, digest, answer: before?.digest === digest ? before.answer : parse(path, bytes) };
  }

  return {
    async read(paths) {
      const found = await inLanes(paths, LANES, look);
      const next = new Map<string, Known<T>>();
      const answers = found.map((entry, index) => {
        const path = paths[index] as string;
        if (!isFault(entry)) next.set(path, entry);
        return { path, answer: isFault(entry) ? entry : entry.answer };
      });
      known = next;
      return answers;
    },
  };
}
