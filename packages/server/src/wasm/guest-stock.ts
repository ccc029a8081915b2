import { Fault, isFault } from '../kernel/fault.ts';
import { createWaitingLine } from '../kernel/waiting-line.ts';
import type { CompiledModule } from './compiled-module.ts';
import { timeoutFault } from './ending.ts';
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
/** Milliseconds in which none comes back, after which the first who waits makes another; the next time two do, then three. */
const PATIENCE = 10;
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
  /** With somebody who runs them. */
  readonly #lent = new Set<Guest<T>>();
  readonly #line = createWaitingLine();
  /** Of those who waited, so many have yet to take what they were called for. */
  #called = 0;
  #isMaking = false;
  #isWatched = false;
  /** Counts those that came back. */
  #returns = 0;
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

  /** One that is there, unless others wait for it. */
  take(): Guest<T> | undefined {
    return this.#line.length + this.#called === 0 ? this.#lend() : undefined;
  }

  #lend(): Guest<T> | undefined {
    const clean = this.#clean.pop();
    const guest = clean ?? this.#used.pop();
    if (guest === undefined) return undefined;
    if (clean === undefined) guest.reset();
    this.#lent.add(guest);
    return guest;
  }

  /**
   * One that is there, one that comes back soon, or a new one. Making one takes longer than most runs, and all take turns on one
   * thread: a crowd that would have one each gets them later than one that hands a few on, and some of it too late.
   *
   * Faults: PC_WASM_…, with `data: {fuel, memoryBytes}`.
   */
  async obtain(deadline: number): Promise<Guest<T> | Fault> {
    const there = this.take();
    if (there !== undefined) return there;
    if (!this.#isWorthWaiting()) return this.#add(deadline);
    this.#watch();
    const isCalled = await this.#line.join(deadline - this.#options.runtime.clock.now());
    if (!isCalled) return timeoutFault(NOTHING_USED);
    this.#called--;
    return this.#lend() ?? this.#add(deadline);
  }

  /** Some are on their way back, and not only when a host function has answered. */
  #isWorthWaiting(): boolean {
    if (!this.compiled.layout.resettable) return false;
    return this.#isMaking || this.#lent.values().some(({ isWaiting }) => !isWaiting);
  }

  /** While somebody waits. As long as none comes back, more are made each time: those that are out may be stuck, all of them. */
  #watch(count = 1): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const returns = this.#returns;
    setTimeout(() => {
      this.#isWatched = false;
      if (this.#line.length === 0) return;
      const isStuck = returns === this.#returns && !this.#isMaking;
      if (isStuck) this.#call(count);
      this.#watch(isStuck ? count + 1 : 1);
    }, PATIENCE);
  }

  #call(most: number): void {
    const count = Math.min(most, this.#line.length);
    this.#called += count;
    this.#line.call(count);
  }

  async #add(deadline: number): Promise<Guest<T> | Fault> {
    this.#isMaking = true;
    try {
      const guest = await this.#make(deadline);
      if (isFault(guest)) this.#call(1);
      else this.#lent.add(guest);
      return guest;
    } finally {
      this.#isMaking = false;
    }
  }

  /** A new instance after its start. */
  async #make(deadline: number): Promise<Guest<T> | Fault> {
    let guest: Guest<T>;
    try {
      guest = new Guest({
        ...this.#options,
        compiled: this.compiled,
        onEnd: noHolder,
        onWait: () => {
          if (this.#line.length > 0 && !this.#isWorthWaiting()) this.#call(1);
        },
      });
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
    if (guest.isTainted) return this.#make(deadline);
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
    this.#lent.delete(guest);
    this.#returns++;
    this.#call(1);
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
