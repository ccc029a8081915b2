import { Fault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';
import { GuestMemory } from './guest-memory.ts';
import { DEFAULT_TABLE_ELEMENTS, PAGE_BYTES, type GuestLimits } from './guest-limits.ts';
import type { GuestValue, HostCall, HostFunction, HostInterface } from './host-interface.ts';
import { RESERVED, RESERVED_MODULE } from './instrumented.ts';
import { MemorySnapshot } from './memory-snapshot.ts';
import type { Waiting, WasmRuntime } from './wasm-runtime.ts';

/** How one evaluation ended well. */
export interface Run {
  /** What the entry returned; undefined when it returns nothing or the guest ended itself with exit code 0. */
  readonly result: number | undefined;
  readonly fuel: number;
  /** The most linear memory that the guest had. */
  readonly memoryBytes: number;
}

/** Why a guest was stopped; what it did afterwards does not count. */
type Stop = { readonly why: 'fuel' | 'timeout' } | { readonly why: 'exit'; readonly code: number };

type Entry = () => Promise<unknown>;

/** So low that the guest asks for fuel at its next payment, and so far from the bound that it cannot wrap. */
const EMPTY = -1;

export interface GuestOptions<T> {
  readonly host: HostInterface<T>;
  readonly limits: GuestLimits;
  readonly runtime: WasmRuntime;
}

/**
 * One instance of a module: serves one evaluation at a time and is put back to its initial state between two. Fuel used
 * is everything that was granted less what is left, whatever the slices were.
 */
export class Guest<T> implements HostCall<T>, Waiting {
  readonly memory: GuestMemory;
  readonly #runtime: WasmRuntime;
  readonly #limits: GuestLimits;
  readonly #exports: WebAssembly.Exports;
  readonly #fuel: WebAssembly.Global<number>;
  readonly #entries = new Map<string, Entry>();
  #snapshot: MemorySnapshot | undefined;

  // State of the evaluation under way.
  #context: T | undefined;
  #deadline = 0;
  #granted = 0;
  #slice = 0;
  #deficit = 0;
  #sliceStart = 0;
  #stop: Stop | undefined;
  #continue: ((grant: number) => void) | undefined;

  /** Throws what V8 throws when the module cannot be instantiated. */
  constructor(compiled: CompiledModule, options: GuestOptions<T>) {
    this.#runtime = options.runtime;
    this.#limits = options.limits;
    this.#exports = new WebAssembly.Instance(compiled.module, this.#imports(compiled, options.host)).exports;
    this.#fuel = this.#exports[RESERVED.fuel] as WebAssembly.Global<number>;
    this.memory = new GuestMemory(this.#exports);
    this.#setGlobal(RESERVED.pagesLimit, Math.floor(options.limits.memoryBytes / PAGE_BYTES));
    this.#setGlobal(RESERVED.tableLimit, options.limits.tableElements ?? DEFAULT_TABLE_ELEMENTS);
  }

  get context(): T {
    return this.#context as T;
  }

  get deadline(): number {
    return this.#deadline;
  }

  has(entry: string): boolean {
    return typeof this.#exports[entry] === 'function';
  }

  /** Enters the guest. The promise is settled with a fault as a value; it never rejects. */
  run(entry: string, context: T, deadline: number): Promise<Run | Fault> {
    const call = this.#entry(entry);
    this.#context = context;
    this.#deadline = deadline;
    this.#stop = undefined;
    this.#granted = 0;
    this.#deficit = 0;
    this.#fuel.value = this.#grant();
    return call().then(this.#finished, this.#failed);
  }

  /** Keeps the state as it is now as the one that every evaluation begins with. */
  snapshot(): void {
    (this.#exports[RESERVED.snapshot] as () => void)();
    this.#snapshot = new MemorySnapshot(this.memory.bytes);
  }

  /** Back to the snapshot: memory, globals and tables. */
  reset(): void {
    this.#context = undefined;
    const used = this.memory.size;
    (this.#exports[RESERVED.reset] as () => void)();
    this.#snapshot?.restore(this.memory.bytes, used);
  }

  /** Bytes that the instance really holds. */
  get heldBytes(): number {
    return this.memory.bytes.length;
  }

  exit(code: number): void {
    this.#stop ??= { why: 'exit', code };
    this.#fuel.value = EMPTY;
  }

  /** The scheduler gives the guest its next turn. */
  resume(): void {
    const settle = this.#continue;
    this.#continue = undefined;
    settle?.(this.#grantOrRefuse());
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = WebAssembly.promising(this.#exports[name]);
      this.#entries.set(name, entry);
    }
    return entry;
  }

  /** Called by the guest when its slice is used up. A refusal is below zero: the guest runs into `unreachable`. */
  readonly #refill = (deficit: number): number | Promise<number> => {
    const now = this.#runtime.clock.now();
    this.#runtime.measured(this.#slice + deficit, now - this.#sliceStart);
    if (this.#stop !== undefined || this.#granted + deficit > this.#limits.fuel || now >= this.#deadline) {
      return this.#refuse(now);
    }
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#continue = resolve;
    this.#deficit = deficit;
    this.#runtime.enqueue(this);
    return promise;
  };

  #grantOrRefuse(): number {
    const now = this.#runtime.clock.now();
    return now >= this.#deadline ? this.#refuse(now) : this.#grant();
  }

  /** The next slice, never more than what is left of the budget. */
  #grant(): number {
    const slice = Math.min(
      Math.max(this.#runtime.sliceFuel, this.#deficit),
      this.#limits.fuel - this.#granted,
    );
    this.#granted += slice;
    this.#slice = slice;
    this.#sliceStart = this.#runtime.clock.now();
    return slice;
  }

  #refuse(now: number): number {
    this.#stop ??= { why: now >= this.#deadline ? 'timeout' : 'fuel' };
    return -1;
  }

  readonly #finished = (result: unknown): Run | Fault => {
    if (this.#stop !== undefined) return this.#stopped(this.#stop);
    return { result: typeof result === 'number' ? result : undefined, ...this.#usage() };
  };

  readonly #failed = (error: unknown): Run | Fault => {
    if (this.#stop !== undefined) return this.#stopped(this.#stop);
    const data = this.#usage();
    if (error instanceof RangeError) {
      return new Fault('PC_WASM_STACK', 'the call stack is exhausted', { data, cause: error });
    }
    if (error instanceof WebAssembly.RuntimeError) {
      return new Fault('PC_WASM_TRAP', error.message, { data, cause: error });
    }
    const thrown = error instanceof WebAssembly.Exception ? 'uncaught exception' : 'unexpected error';
    return new Fault('PC_WASM_TRAP', thrown, { data, cause: error });
  };

  #stopped(stop: Stop): Run | Fault {
    const data = this.#usage();
    switch (stop.why) {
      case 'fuel':
        return new Fault('PC_WASM_FUEL', `used up its ${this.#limits.fuel} units of fuel`, { data });
      case 'timeout':
        return new Fault('PC_WASM_TIMEOUT', 'did not answer in time', { data });
      case 'exit':
        return stop.code === 0
          ? { result: undefined, ...data }
          : new Fault('PC_WASM_EXIT', `exit code ${stop.code}`, { data });
    }
  }

  #usage(): { readonly fuel: number; readonly memoryBytes: number } {
    // After a refusal the counter holds a debt that was never paid.
    const fuel = Math.min(this.#granted - this.#fuel.value, this.#limits.fuel);
    return { fuel, memoryBytes: this.memory.size };
  }

  #setGlobal(name: string, value: number): void {
    const global = this.#exports[name] as WebAssembly.Global<number> | undefined;
    if (global !== undefined) global.value = value;
  }

  #imports(compiled: CompiledModule, host: HostInterface<T>): WebAssembly.Imports {
    const imports: Record<string, Record<string, unknown>> = {
      [RESERVED_MODULE]: { refill: new WebAssembly.Suspending(this.#refill) },
    };
    for (const { module, name } of compiled.info.imports) {
      const offered = host[module]?.[name];
      if (offered === undefined) throw new TypeError(`host lacks ${module}.${name}`);
      (imports[module] ??= {})[name] = this.#border(offered);
    }
    return imports;
  }

  /** A guest that was stopped gets nothing done any more. Crossing is paid for by the rewritten code. */
  #border({ call, wait }: HostFunction<T>): unknown {
    if (wait !== undefined) return new WebAssembly.Suspending(this.#waitingBorder(wait as AsyncBody<T>));
    const body = call as SyncBody<T>;
    return (...values: GuestValue[]): GuestValue | void => {
      if (this.#stop !== undefined) return -1;
      return body(this, ...values);
    };
  }

  #waitingBorder(body: AsyncBody<T>): (...values: GuestValue[]) => Promise<GuestValue | void> {
    return async (...values) => {
      if (this.#stop !== undefined) return -1;
      const timer = Promise.withResolvers<number>();
      const handle = setTimeout(() => timer.resolve(-1), this.#deadline - this.#runtime.clock.now());
      try {
        const answer = await Promise.race([body(this, ...values), timer.promise]);
        // The wait is no work of the guest's.
        this.#sliceStart = this.#runtime.clock.now();
        if (this.#sliceStart >= this.#deadline) {
          this.#stop ??= { why: 'timeout' };
          this.#fuel.value = EMPTY;
        }
        return answer;
      } finally {
        clearTimeout(handle);
      }
    };
  }
}

type SyncBody<T> = (call: HostCall<T>, ...values: GuestValue[]) => GuestValue | void;
type AsyncBody<T> = (call: HostCall<T>, ...values: GuestValue[]) => Promise<GuestValue | void>;
