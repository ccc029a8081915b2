import { randomFillSync } from 'node:crypto';
import type { Fault } from '../../kernel/fault.ts';
import type { RegoValue } from '../../rego/values/rego-value.ts';
import type { EngineHost } from '../engine.ts';
import type { HostBuiltin } from './host-builtin.ts';

/** What a module says of itself; the same for all of its instances. */
export interface OpaDescription {
  builtins: ReadonlyMap<number, HostBuiltin>;
  /** The same, offered or not: number by name. */
  wanted: ReadonlyMap<string, number>;
  /** Number by name. */
  entrypoints: ReadonlyMap<string, number>;
  /** Inputs are read by the host's reader, since the module lays its values out as that does; else by the module's own parser. */
  isReadDirectly: boolean;
}

/** JSON text in pieces. */
export type Document = readonly Uint8Array[];

export function lengthOf(document: Document): number {
  let length = 0;
  for (const piece of document) length += piece.length;
  return length;
}

/** What one run of a module exchanges with its host. */
export interface OpaCall {
  readonly description: OpaDescription;
  readonly data: Document;
  readonly input: Document;
  /** JSON text of what the entry point gave. */
  result: Uint8Array | undefined;
  /** Why the host or the module itself ended the run. */
  fault: Fault | undefined;
  /** What the last builtin gave, until the module has taken it. */
  pending: Document;
  readonly now: bigint;
  readonly memory: Map<string, RegoValue>;
  readonly random: (bytes: Uint8Array) => void;
  readonly print: (text: string) => void;
}

export interface OpaQuestion {
  readonly description: OpaDescription;
  readonly data: Document;
  readonly input: Document;
  /** The name that log lines get. */
  readonly policy: string;
}

const NOTHING: Document = [];
/** Characters that one evaluation may write to the log. */
const MAX_PRINTED = 64 * 1024;

export function createOpaCall({ clock, log, random }: EngineHost, question: OpaQuestion): OpaCall {
  const { description, data, input, policy } = question;
  let printed = 0;
  return {
    description,
    data,
    input,
    result: undefined,
    fault: undefined,
    pending: NOTHING,
    // Whole microseconds: a double of nanoseconds would pretend to more.
    now: BigInt(Math.round(clock.wall() * 1000)) * 1000n,
    memory: new Map(),
    random: random ?? fillWithRandom,
    print(text) {
      printed += text.length;
      if (printed <= MAX_PRINTED && log.enabled('debug')) log.log('debug', text, { target: 'opa', policy });
    },
  };
}

function fillWithRandom(bytes: Uint8Array): void {
  randomFillSync(bytes);
}
