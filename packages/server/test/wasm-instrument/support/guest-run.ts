import { RESERVED, RESERVED_MODULE } from '../../../src/wasm/instrumented.ts';

/** What can be seen of a guest after a series of calls. */
export interface Observation {
  readonly results: readonly string[];
  readonly memory: string;
  readonly globals: readonly string[];
  readonly tables: readonly string[];
}

export interface MeteredObservation extends Observation {
  readonly fuel: number;
  readonly exhausted: boolean;
  /** How often the guest asked for fuel. */
  readonly refills: number;
}

export interface Call {
  readonly name: string;
  readonly args: readonly (number | bigint)[];
}

/** How much the guest gets: in grants of `slice`, up to `budget` in total. */
export interface Allowance {
  readonly slice: number;
  readonly budget: number;
}

export const AMPLE: Allowance = { slice: 1 << 24, budget: Number.MAX_SAFE_INTEGER };

/** The host functions that fixtures may import: they are pure. */
const HOST = {
  env: {
    twice: (value: number): number => (value * 2) | 0,
    nothing: (): void => {},
  },
};

export function runPlain(module: WebAssembly.Module, calls: readonly Call[]): Observation {
  const { exports } = new WebAssembly.Instance(module, HOST);
  return observe(
    exports,
    calls.map((call) => outcome(exports, call)),
  );
}

export class Guest {
  readonly exports: WebAssembly.Exports;
  granted = 0;
  exhausted = false;
  refills = 0;
  allowance: Allowance;

  constructor(module: WebAssembly.Module, allowance: Allowance) {
    this.allowance = allowance;
    const refill = (deficit: number): number => this.#refill(deficit);
    this.exports = new WebAssembly.Instance(module, { ...HOST, [RESERVED_MODULE]: { refill } }).exports;
    const start = this.exports[RESERVED.start];
    if (start !== undefined) (start as () => void)();
  }

  #refill(deficit: number): number {
    if (!(deficit > 0)) throw new TypeError(`refill was asked for ${deficit}`);
    this.refills++;
    const grant = Math.min(this.allowance.slice, this.allowance.budget - this.granted);
    if (grant <= 0) {
      this.exhausted = true;
      return -1;
    }
    this.granted += grant;
    return grant;
  }

  get fuel(): number {
    return this.granted - (this.exports[RESERVED.fuel] as WebAssembly.Global<number>).value;
  }

  call(name: string): void {
    (this.exports[name] as () => void)();
  }

  run(calls: readonly Call[]): MeteredObservation {
    const results: string[] = [];
    for (const call of calls) {
      results.push(outcome(this.exports, call));
      if (this.exhausted) break;
    }
    return {
      ...observe(this.exports, results),
      fuel: this.fuel,
      exhausted: this.exhausted,
      refills: this.refills,
    };
  }
}

export function runMetered(
  module: WebAssembly.Module,
  calls: readonly Call[],
  allowance: Allowance = AMPLE,
): MeteredObservation {
  return new Guest(module, allowance).run(calls);
}

function outcome(exports: WebAssembly.Exports, { name, args }: Call): string {
  try {
    return String((exports[name] as (...values: unknown[]) => unknown)(...args));
  } catch (error) {
    if (!(error instanceof Error)) return 'threw something';
    return `${error.constructor.name}: ${error.message}`;
  }
}

function observe(exports: WebAssembly.Exports, results: readonly string[]): Observation {
  const globals: string[] = [];
  const tables: string[] = [];
  let memory = '';
  for (const [name, value] of Object.entries(exports)) {
    if (name.startsWith('portcullis:')) continue;
    if (value instanceof WebAssembly.Global) globals.push(`${name}=${String(value.value)}`);
    if (value instanceof WebAssembly.Table) tables.push(`${name}=${filled(value)}`);
    if (value instanceof WebAssembly.Memory) memory = digest(new Uint8Array(value.buffer));
  }
  return { results, memory, globals, tables };
}

function filled(table: WebAssembly.Table): string {
  let pattern = '';
  for (let index = 0; index < table.length; index++) pattern += table.get(index) === null ? '.' : 'x';
  return pattern;
}

/** FNV-1a over length and content. */
function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) if (byte !== 0) hash = Math.imul(hash ^ byte, 0x01000193);
  for (let at = 0; at < bytes.length; at += 97) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return `${bytes.length}:${hash >>> 0}`;
}
