import { Fault, isFault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';
import { Guest, type GuestLimits } from './guest.ts';
import type { GuestAdapter } from './guest-adapter.ts';
import type { HostInterface } from './host-interface.ts';
import { RESERVED } from './instrumented.ts';
import { isSameSnapshot, type MemorySnapshot } from './memory-snapshot.ts';
import type { WasmRuntime } from './wasm-runtime.ts';

export interface StockOptions<T> {
  readonly host: HostInterface<T>;
  readonly limits: GuestLimits;
  readonly runtime: WasmRuntime;
  /** Every instance gets one of its own. */
  readonly adapter?: GuestAdapter;
  /** What a new instance does once, metered, before the state is kept that every run starts from. */
  readonly initialise?: {
    /** Called in order where the module has them. */
    readonly exports: readonly string[];
    readonly context: () => T;
    readonly warmUp?: WarmUp<T>;
  };
}

/**
 * One run after the start, never with a user's data, so that what guests set up in their first run is paid once. Only of
 * instances that can be reset; when it fails, or was not sound, nothing of it is kept.
 */
export interface WarmUp<T> {
  readonly entry: string;
  readonly args?: readonly number[];
  readonly context: () => T;
  /** Whether what the run left behind holds for every later one. */
  readonly isSound?: (context: T) => boolean;
}

/** More than so many are let go when a burst is over. */
const MAX_IDLE = 8;
const NO_ARGUMENTS: readonly number[] = [];
const NOTHING_USED = { fuel: 0, memoryBytes: 0 };
/** After so many that took too long there are no more; a thread may have been busy. */
const MAX_SLOW_WARM_UPS = 3;
const MAX_WARM_UP_MS = 500;

/**
 * Instances of one module, made when they are needed and kept to be used again. Whoever takes one finds it as it was after its
 * start, so sandboxes whose instances start in the same way may share a stock.
 */
export class GuestStock<T> {
  readonly compiled: CompiledModule;
  readonly #options: StockOptions<T>;
  /** Ready for a run; the one used last is on top. */
  #clean: Guest<T>[] = [];
  /** To be reset. */
  #used: Guest<T>[] = [];
  #snapshot: MemorySnapshot | undefined;
  #isClosed = false;
  #isDeferred = false;
  #warmUpsLeft = MAX_SLOW_WARM_UPS;

  constructor(compiled: CompiledModule, options: StockOptions<T>) {
    this.compiled = compiled;
    this.#options = options;
  }

  get idle(): number {
    return this.#clean.length + this.#used.length;
  }

  take(): Guest<T> | undefined {
    const clean = this.#clean.pop();
    if (clean !== undefined) return clean;
    const used = this.#used.pop();
    used?.reset();
    return used;
  }

  /** A new instance after its start. Faults: PC_WASM_…, with `data: {fuel, memoryBytes}`. */
  async make(deadline: number): Promise<Guest<T> | Fault> {
    let guest: Guest<T>;
    try {
      guest = new Guest({ ...this.#options, compiled: this.compiled, onEnd: noHolder });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return new Fault('PC_WASM_START', `the module cannot be instantiated: ${reason}`, {
        data: NOTHING_USED,
        cause: error,
      });
    }
    const fault = await this.#initialise(guest, deadline);
    if (fault !== undefined) return asStartFault(fault);
    if (!this.compiled.layout.resettable) return guest;
    return this.#warmUp(guest, deadline);
  }

  async #initialise(guest: Guest<T>, deadline: number): Promise<Fault | undefined> {
    const { initialise } = this.#options;
    const names = [RESERVED.start, ...(initialise?.exports ?? [])].filter((name) => guest.has(name));
    for (const entry of names) {
      const run = await guest.run(entry, { context: initialise?.context() as T, deadline }, NO_ARGUMENTS);
      if (isFault(run)) return run;
    }
    return undefined;
  }

  /** At most half of the time that is left goes into it: whoever waits for the instance has a question of its own. */
  async #warmUp(guest: Guest<T>, deadline: number): Promise<Guest<T> | Fault> {
    const warmUp = this.#options.initialise?.warmUp;
    const isWanted = warmUp !== undefined && this.#warmUpsLeft > 0;
    if (!isWanted) return this.#keepSnapshot(guest);
    guest.takeSnapshot();
    const context = warmUp.context();
    const now = this.#options.runtime.clock.now();
    const task = { context, deadline: now + Math.min((deadline - now) / 2, MAX_WARM_UP_MS) };
    const run = await guest.run(warmUp.entry, task, warmUp.args ?? NO_ARGUMENTS);
    if (!isFault(run) && (warmUp.isSound?.(context) ?? true)) return this.#keepSnapshot(guest);
    const isSlow = isFault(run) && run.code === 'PC_WASM_TIMEOUT' && !guest.isTainted;
    this.#warmUpsLeft = isSlow ? this.#warmUpsLeft - 1 : 0;
    if (guest.isTainted) return this.make(deadline);
    guest.reset();
    return this.#keepSnapshot(guest);
  }

  #keepSnapshot(guest: Guest<T>): Guest<T> {
    const snapshot = guest.takeSnapshot();
    if (this.#snapshot === undefined) this.#snapshot = snapshot;
    else if (isSameSnapshot(snapshot, this.#snapshot)) guest.shareSnapshot(this.#snapshot);
    return guest;
  }

  /** Back after a run. */
  give(guest: Guest<T>): void {
    guest.onEnd = noHolder;
    if (!this.#isUseful(guest) || this.idle >= MAX_IDLE) return;
    this.#used.push(guest);
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#options.runtime.defer(this);
  }

  #isUseful(guest: Guest<T>): boolean {
    return !this.#isClosed && this.compiled.layout.resettable && !guest.isTainted && !guest.isOversized;
  }

  /** Resets what has been used. */
  tidy(): void {
    this.#isDeferred = false;
    for (const guest of this.#used) {
      guest.reset();
      this.#clean.push(guest);
    }
    this.#used = [];
    const bytes = this.#clean.reduce((sum, { memory }) => sum + memory.physical.length, 0);
    this.#options.runtime.idle.note(this, bytes);
  }

  letGo(): void {
    this.#clean = [];
    this.#used = [];
  }

  /** What comes back is not kept any more. */
  close(): void {
    this.#isClosed = true;
    this.letGo();
    this.#options.runtime.idle.note(this, 0);
  }
}

function noHolder(): void {
  // A run of nobody's: a start.
}

/** A limit stays a limit; whatever else happens is a module that does not start. */
function asStartFault(fault: Fault): Fault {
  const codes: readonly string[] = ['PC_WASM_TRAP', 'PC_WASM_STACK', 'PC_WASM_EXIT'];
  if (!codes.includes(fault.code)) return fault;
  return new Fault('PC_WASM_START', fault.message, { data: fault.data, cause: fault });
}
