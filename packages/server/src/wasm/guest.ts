import { Fault } from '../kernel/fault.ts';
import { bindHost, type HostCaller } from './bind-host.ts';
import type { CompiledModule } from './compiled-module.ts';
import {
  OUT_OF_FUEL,
  OUT_OF_TIME,
  endingFault,
  timeoutFault,
  trapFault,
  type Ending,
  type Usage,
} from './ending.ts';
import { instantiate, type GuestAdapter } from './guest-adapter.ts';
import { InstanceMemory } from './guest-memory.ts';
import type { HostInterface } from './host-interface.ts';
import { RESERVED, RESERVED_MODULE } from './instrumented.ts';
import { restoreSnapshot, takeSnapshot, wholePages, type MemorySnapshot } from './memory-snapshot.ts';
import type { ParkedGuest, WasmRuntime } from './wasm-runtime.ts';

export interface Run {
  /** What the entry returned; undefined when that is no number, or the guest ended itself with exit code 0. */
  readonly result: number | undefined;
  /** Units used, the same for the same module, state and input. */
  readonly fuel: number;
  /** Linear memory at the end, as the guest saw it. */
  readonly memoryBytes: number;
}

export interface GuestLimits {
  /** Bytes of linear memory. */
  readonly memoryBytes: number;
  /** Units for one run. */
  readonly fuel: number;
  /** Elements of each table; 100,000 when absent. */
  readonly tableElements?: number;
}

export interface GuestSetting<T> {
  readonly compiled: CompiledModule;
  readonly host: HostInterface<T>;
  readonly limits: GuestLimits;
  readonly runtime: WasmRuntime;
  readonly adapter?: GuestAdapter;
  /** The run is over, and its answer on its way. Whoever takes the guest may put its own in its place. */
  readonly onEnd: (guest: Guest<T>) => void;
  /** A host function lets it wait. */
  readonly onWait?: () => void;
}

export interface Task<T> {
  readonly context: T;
  readonly deadline: number;
}

export const DEFAULT_TABLE_ELEMENTS = 100_000;

/**
 * Grants are small enough that none takes long even where fuel is cheap for what it does (memory out of the caches), and large
 * enough to cost nothing: 2^19 units take 50 µs or more, asking for them 0.3 µs. They shrink for guests that are slow.
 */
const QUANTUM = { least: 1 << 12, most: 1 << 19, slowMs: 0.25, fastMs: 0.1 };
const MAX_GRANT = 2 ** 30;
/** Host functions take fuel from a guest at most down to here at once; the rest is a debt until it asks for more. */
const MIN_FUEL = -(2 ** 28);

/** A new instance costs about as much as going over 6 MiB. */
const SPARE_BYTES = 4 * 1024 * 1024;
const SMALL_RUNS = 16;

type Entry = (...args: readonly number[]) => Promise<unknown>;

/** One instance, which serves one run at a time. */
export class Guest<T> implements ParkedGuest, HostCaller<T> {
  readonly memory: InstanceMemory;
  onEnd: (guest: Guest<T>) => void;
  readonly #setting: GuestSetting<T>;
  readonly #runtime: WasmRuntime;
  readonly #exports: WebAssembly.Exports;
  readonly #fuel: WebAssembly.Global<number>;
  readonly #refused: WebAssembly.Global<number>;
  readonly #entries = new Map<string, Entry>();
  #snapshot: MemorySnapshot | undefined;
  /** Runs in a row that left more than `SPARE_BYTES` unused. */
  #smallRuns = 0;

  /** Of the present run. */
  #task: Task<T> | undefined;
  #granted = 0;
  #debt = 0;
  /** What a host function has taken so far; globals are slow to reach from here, so it is settled when it returns. */
  #owed = 0;
  #ending: Ending | undefined;
  slices = 0;
  #sliceStart = 0;
  #asked = 0;
  #quantum = QUANTUM.most;
  #pendingGrant = 0;
  #continue: (grant: number) => void = noGuestWaits;
  isTainted = false;
  #isWaiting = false;

  /** Throws what V8 throws when active segments do not fit or memory cannot be had. */
  constructor(setting: GuestSetting<T>) {
    const { compiled, host, limits, adapter } = setting;
    this.onEnd = setting.onEnd;
    this.#setting = setting;
    this.#runtime = setting.runtime;
    const reserved = { [RESERVED_MODULE]: { refill: new WebAssembly.Suspending(this.#refill) } };
    this.#exports = instantiate(compiled, adapter, {
      guest: { ...bindHost(compiled.info.imports, host, this), ...reserved },
      adapter: bindHost(adapter?.imports ?? [], host, this),
    });
    this.#fuel = this.#global(RESERVED.fuel);
    this.#refused = this.#global(RESERVED.refused);
    this.#global(RESERVED.pagesLimit).value = wholePages(limits.memoryBytes);
    this.#global(RESERVED.tableLimit).value = limits.tableElements ?? DEFAULT_TABLE_ELEMENTS;
    this.memory = new InstanceMemory({
      memory: this.#exports[RESERVED.memory] as WebAssembly.Memory | undefined,
      pages: this.#global(RESERVED.pages),
      pay: (fuel) => this.pay(fuel),
    });
  }

  #global(name: string): WebAssembly.Global<number> {
    return this.#exports[name] as WebAssembly.Global<number>;
  }

  has(entry: string): boolean {
    return typeof this.#exports[entry] === 'function';
  }

  /** Never rejects. Faults: PC_WASM_…, PC_MODULE_EXPORT when there is no such function, PC_INTERNAL. */
  run(name: string, task: Task<T>, args: readonly number[]): Promise<Run | Fault> {
    const now = this.#runtime.clock.now();
    // In a turn that others have used up it begins, and waits for its own very soon.
    const quantum = this.#runtime.isDue(0, 0) ? QUANTUM.least : this.#quantum;
    const first = Math.min(quantum, this.#setting.limits.fuel);
    this.#task = task;
    this.#granted = first;
    this.#debt = 0;
    this.#owed = 0;
    this.#ending = undefined;
    this.slices = 1;
    this.#sliceStart = now;
    this.#asked = now;
    this.#fuel.value = first;
    this.#refused.value = 0;
    const entry = this.#entries.get(name) ?? this.#addEntry(name);
    if (entry === undefined) return Promise.resolve(this.#end(missingExport(name)));
    if (task.deadline <= now) return Promise.resolve(this.#end(timeoutFault(this.#usage())));
    try {
      return entry(...args).then(this.#onReturn, this.#onThrow);
    } catch (error) {
      return Promise.resolve(this.#end(wrongArguments(name, error, this.#usage())));
    }
  }

  #addEntry(name: string): Entry | undefined {
    if (!this.has(name)) return undefined;
    const entry = WebAssembly.promising(this.#exports[name]) as Entry;
    this.#entries.set(name, entry);
    return entry;
  }

  readonly #onReturn = (value: unknown): Run | Fault => {
    if (this.#ending !== undefined) return this.#onThrow(undefined);
    return this.#end({
      result: typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined,
      ...this.#usage(),
    });
  };

  readonly #onThrow = (thrown: unknown): Run | Fault => {
    const usage = this.#usage();
    if (this.#ending === undefined) return this.#end(trapFault(thrown, usage, this.#refused.value !== 0));
    return this.#end(endingFault(this.#ending, usage) ?? { result: undefined, ...usage });
  };

  #end<R extends Run | Fault>(outcome: R): R {
    this.#task = undefined;
    const { physical, size } = this.memory;
    this.#smallRuns = physical.length - size > SPARE_BYTES ? this.#smallRuns + 1 : 0;
    this.onEnd(this);
    return outcome;
  }

  #usage(): Usage {
    const fuel = this.#granted + this.#debt + this.#owed - this.#fuel.value;
    return { fuel, memoryBytes: this.memory.size };
  }

  /** Asked by the guest when its fuel is below zero by `deficit`; below zero is the refusal. */
  readonly #refill = (deficit: number): number | Promise<number> => {
    if (this.#ending !== undefined) return -1;
    const owed = deficit + this.#debt;
    const room = this.#setting.limits.fuel - this.#granted;
    if (owed > room) {
      this.#ending = OUT_OF_FUEL;
      return -1;
    }
    const now = this.#runtime.clock.now();
    if (now >= this.deadline) {
      this.#ending = OUT_OF_TIME;
      return -1;
    }
    const newMs = now - this.#asked;
    this.#asked = now;
    this.#adaptQuantum(newMs);
    const grant = Math.min(room, owed + this.#quantum, MAX_GRANT);
    if (!this.#runtime.isDue(now - this.#sliceStart, newMs)) return this.#grant(grant);
    this.#pendingGrant = grant;
    return new Promise(this.#park);
  };

  /** What the guest gets of a grant: debts of the host's are paid first. */
  #grant(amount: number): number {
    const debt = Math.min(this.#debt, amount);
    this.#debt -= debt;
    this.#granted += amount;
    return amount - debt;
  }

  #adaptQuantum(ms: number): void {
    if (ms > QUANTUM.slowMs) this.#quantum = Math.max(QUANTUM.least, this.#quantum >> 1);
    else if (ms < QUANTUM.fastMs) this.#quantum = Math.min(QUANTUM.most, this.#quantum << 1);
  }

  readonly #park = (resolve: (grant: number) => void): void => {
    this.#continue = resolve;
    this.#runtime.park(this);
  };

  resume(now: number): void {
    this.slices++;
    this.#sliceStart = now;
    this.#asked = now;
    this.#continue(this.#grant(this.#pendingGrant));
  }

  expire(): void {
    this.#ending = OUT_OF_TIME;
    this.#continue(-1);
  }

  // What host functions see.

  get context(): T {
    return (this.#task as Task<T>).context;
  }

  get deadline(): number {
    return this.#task?.deadline ?? 0;
  }

  pay(fuel: number): void {
    this.#owed += fuel;
  }

  exit(code: number): never {
    this.end({ by: 'exit', code });
    throw this.stop;
  }

  // What their binding uses.

  settle(): void {
    if (this.#owed === 0) return;
    const left = this.#fuel.value - this.#owed;
    this.#fuel.value = Math.max(left, MIN_FUEL);
    if (left < MIN_FUEL) this.#debt += MIN_FUEL - left;
    this.#owed = 0;
  }

  get hasEnded(): boolean {
    return this.#ending !== undefined;
  }

  get stop(): Error {
    return this.#runtime.uncatchable;
  }

  end(ending: Ending): void {
    this.#ending ??= ending;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  set isWaiting(isWaiting: boolean) {
    this.#isWaiting = isWaiting;
    if (isWaiting) this.#setting.onWait?.();
  }

  get timeLeft(): number {
    return this.deadline - this.#runtime.clock.now();
  }

  // What the pool uses.

  /** What is now becomes what every run starts from; returns it so that instances can share it. */
  takeSnapshot(): MemorySnapshot {
    (this.#exports[RESERVED.snapshot] as () => void)();
    this.#snapshot = takeSnapshot(this.memory.physical);
    return this.#snapshot;
  }

  shareSnapshot(snapshot: MemorySnapshot): void {
    this.#snapshot = snapshot;
  }

  reset(): void {
    (this.#exports[RESERVED.reset] as () => void)();
    this.memory.forgetSize();
    if (this.#snapshot !== undefined) restoreSnapshot(this.memory.physical, this.#snapshot);
  }

  /** It grew once and has not needed that much for long; memory cannot shrink, and a reset has to go over all of it. */
  get isOversized(): boolean {
    return this.#smallRuns >= SMALL_RUNS;
  }
}

function missingExport(name: string): Fault {
  return new Fault('PC_MODULE_EXPORT', `the module exports no function \`${name}\``, {
    data: { fuel: 0, memoryBytes: 0 },
  });
}

/** Parameters that no number can be given for. */
function wrongArguments(name: string, cause: unknown, data: Usage): Fault {
  return new Fault('PC_MODULE_EXPORT', `the function \`${name}\` cannot be called with numbers`, {
    data: { ...data },
    cause,
  });
}

function noGuestWaits(): void {
  throw new TypeError('a guest was resumed that does not wait');
}
