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
  /**
   * Inputs are read by the adapter's reader, since the module lays its values out as that does; else by the module's own parser.
   * Undefined until an instance has been tried.
   */
  isReadDirectly: boolean | undefined;
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
  /** JSON text of what the entry point gave, with a character for each byte. */
  result: string | undefined;
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

export function createOpaCall(host: EngineHost, question: OpaQuestion): OpaCall {
  return new Call(host, question);
}

/** Most runs ask for nothing of what is made when it is asked for. */
class Call implements OpaCall {
  readonly description: OpaDescription;
  readonly data: Document;
  readonly input: Document;
  result: string | undefined;
  fault: Fault | undefined;
  pending: Document = NOTHING;
  readonly #host: EngineHost;
  readonly #policy: string;
  readonly #start: number;
  #now: bigint | undefined;
  #memory: Map<string, RegoValue> | undefined;
  #printed = 0;

  constructor(host: EngineHost, { description, data, input, policy }: OpaQuestion) {
    this.description = description;
    this.data = data;
    this.input = input;
    this.#host = host;
    this.#policy = policy;
    this.#start = host.clock.wall();
  }

  get now(): bigint {
    // Whole microseconds: a double of nanoseconds would pretend to more.
    this.#now ??= BigInt(Math.round(this.#start * 1000)) * 1000n;
    return this.#now;
  }

  get memory(): Map<string, RegoValue> {
    this.#memory ??= new Map();
    return this.#memory;
  }

  get random(): (bytes: Uint8Array) => void {
    return this.#host.random ?? fillWithRandom;
  }

  readonly print = (text: string): void => {
    const { log } = this.#host;
    this.#printed += text.length;
    if (this.#printed <= MAX_PRINTED && log.enabled('debug'))
      log.log('debug', text, { target: 'opa', policy: this.#policy });
  };
}

function fillWithRandom(bytes: Uint8Array): void {
  randomFillSync(bytes);
}
