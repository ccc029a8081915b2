import { Fault, isFault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';
import { timeoutFault } from './ending.ts';
import { PAGE } from './guest-memory.ts';
import { DEFAULT_TABLE_ELEMENTS, Guest, type GuestLimits, type Run, type Task } from './guest.ts';
import type { HostInterface } from './host-interface.ts';
import { RESERVED } from './instrumented.ts';
import { isSameSnapshot, type MemorySnapshot } from './memory-snapshot.ts';
import { createWaitingLine } from './waiting-line.ts';
import type { WasmRuntime } from './wasm-runtime.ts';

export type { GuestLimits, Run } from './guest.ts';

/** One policy's guests on one thread. */
export interface Sandbox<T> {
  /**
   * Calls the exported function `entry` in an instance that shows nothing of earlier runs. Never rejects. The deadline is on
   * the axis of `Clock.now()` and includes waiting for an instance.
   *
   * Faults: PC_WASM_…, PC_MODULE_EXPORT, PC_INTERNAL, with `data: {fuel, memoryBytes}`.
   */
  run(entry: string, context: T, deadline: number, args?: readonly number[]): Promise<Run | Fault>;
  /** Makes the first instance, so that a module that cannot start is known before it serves. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** Lets go of all instances; runs under way end as they would, and later ones get instances of their own. */
  close(): void;
  /** Instances that wait for a run. */
  readonly idle: number;
}

export interface SandboxOptions<T> {
  readonly host: HostInterface<T>;
  readonly limits: GuestLimits;
  readonly runtime: WasmRuntime;
  /** Runs at the same time; further ones wait in order. 64 when absent. */
  readonly maxInstances?: number;
  /** What a new instance does once, metered, before the state is kept that every run starts from. */
  readonly initialise?: {
    /** Called in order where the module has them. */
    readonly exports: readonly string[];
    readonly context: () => T;
    /** One run afterwards, never with a user's data, so that what guests set up in their first run is paid once. */
    readonly warmUp?: { readonly entry: string; readonly context: () => T };
  };
}

/** What the module needs at its start against what its policy allows. */
export function checkLimits(compiled: CompiledModule, limits: GuestLimits): Fault | undefined {
  const bytes = compiled.layout.initialPages * PAGE;
  if (bytes > limits.memoryBytes) {
    return new Fault(
      'PC_MODULE_MEMORY',
      `the module starts with ${bytes} bytes of memory; its limit is ${limits.memoryBytes}`,
      { data: { bytes, limit: limits.memoryBytes } },
    );
  }
  const limit = limits.tableElements ?? DEFAULT_TABLE_ELEMENTS;
  const elements = compiled.info.tables.reduce((sum, size) => sum + size, 0);
  if (elements <= limit) return undefined;
  return new Fault(
    'PC_MODULE_MEMORY',
    `the module starts with ${elements} elements in its tables; the limit is ${limit}`,
    { data: { elements, limit } },
  );
}

export function createSandbox<T>(compiled: CompiledModule, options: SandboxOptions<T>): Sandbox<T> {
  return new Pool(compiled, options);
}

const NO_ARGUMENTS: readonly number[] = [];
const NOTHING_USED = { fuel: 0, memoryBytes: 0 };
/** More than so many are let go when a burst is over. */
const MAX_IDLE = 8;

class Pool<T> implements Sandbox<T> {
  readonly #compiled: CompiledModule;
  readonly #options: SandboxOptions<T>;
  readonly #max: number;
  readonly #refused: Fault | undefined;
  readonly #setting: ConstructorParameters<typeof Guest<T>>[0];
  /** Instances, running ones and those being made included. */
  #count = 0;
  /** Ready for a run; the one used last is on top. */
  #clean: Guest<T>[] = [];
  /** To be reset. */
  #used: Guest<T>[] = [];
  readonly #line = createWaitingLine();
  readonly #starting = new Set<Guest<T>>();
  #snapshot: MemorySnapshot | undefined;
  #isClosed = false;
  #isDeferred = false;

  constructor(compiled: CompiledModule, options: SandboxOptions<T>) {
    this.#compiled = compiled;
    this.#options = options;
    this.#max = options.maxInstances ?? 64;
    this.#refused = checkLimits(compiled, options.limits);
    this.#setting = {
      compiled,
      host: options.host,
      limits: options.limits,
      runtime: options.runtime,
      onEnd: (guest) => this.#release(guest),
    };
  }

  get idle(): number {
    return this.#clean.length + this.#used.length;
  }

  run(
    entry: string,
    context: T,
    deadline: number,
    args: readonly number[] = NO_ARGUMENTS,
  ): Promise<Run | Fault> {
    const task = { context, deadline };
    const guest = this.#line.length === 0 ? this.#take() : undefined;
    return guest === undefined ? this.#runLater(entry, task, args) : guest.run(entry, task, args);
  }

  async #runLater(entry: string, task: Task<T>, args: readonly number[]): Promise<Run | Fault> {
    const guest = await this.#acquire(task.deadline);
    return isFault(guest) ? guest : guest.run(entry, task, args);
  }

  async prepare(deadline: number): Promise<Fault | undefined> {
    const guest = await this.#acquire(deadline);
    if (isFault(guest)) return guest;
    this.#release(guest);
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#count -= this.idle;
    this.#clean = [];
    this.#used = [];
  }

  #take(): Guest<T> | undefined {
    const clean = this.#clean.pop();
    if (clean !== undefined) return clean;
    const used = this.#used.pop();
    used?.reset();
    return used;
  }

  /** An instance of one's own, or a fault when there is none before the deadline. */
  async #acquire(deadline: number): Promise<Guest<T> | Fault> {
    if (this.#refused !== undefined) return this.#refused;
    const { clock } = this.#options.runtime;
    for (let isNew = true; this.#mustWait(isNew); isNew = false) {
      const isTurn = await this.#line.join(deadline - clock.now());
      if (!isTurn) return timeoutFault(NOTHING_USED);
    }
    const guest = this.#take();
    if (guest !== undefined) return guest;
    this.#count++;
    const made = await this.#make(deadline);
    if (isFault(made)) this.#drop();
    return made;
  }

  /** Newcomers wait for those who wait already. */
  #mustWait(isNew: boolean): boolean {
    return (isNew && this.#line.length > 0) || (this.idle === 0 && this.#count >= this.#max);
  }

  async #make(deadline: number): Promise<Guest<T> | Fault> {
    let guest: Guest<T>;
    try {
      guest = new Guest(this.#setting);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return new Fault('PC_WASM_START', `the module cannot be instantiated: ${reason}`, {
        data: NOTHING_USED,
        cause: error,
      });
    }
    this.#starting.add(guest);
    const fault = await this.#initialise(guest, deadline);
    this.#starting.delete(guest);
    if (fault !== undefined) return asStartFault(fault);
    if (this.#compiled.layout.resettable) this.#keepSnapshot(guest);
    return guest;
  }

  async #initialise(guest: Guest<T>, deadline: number): Promise<Fault | undefined> {
    const { initialise } = this.#options;
    const names = [RESERVED.start, ...(initialise?.exports ?? [])].filter((name) => guest.has(name));
    const tasks = names.map((entry) => ({ entry, context: initialise?.context }));
    const warmUp = initialise?.warmUp;
    for (const { entry, context } of warmUp === undefined ? tasks : [...tasks, warmUp]) {
      const run = await guest.run(entry, { context: context?.() as T, deadline }, NO_ARGUMENTS);
      if (isFault(run)) return run;
    }
    return undefined;
  }

  #keepSnapshot(guest: Guest<T>): void {
    const snapshot = guest.takeSnapshot();
    if (this.#snapshot === undefined) this.#snapshot = snapshot;
    else if (isSameSnapshot(snapshot, this.#snapshot)) guest.shareSnapshot(this.#snapshot);
  }

  #release(guest: Guest<T>): void {
    if (this.#starting.has(guest)) return;
    const isKept = this.#isUseful(guest) && this.idle < MAX_IDLE;
    if (isKept) this.#used.push(guest);
    else this.#drop();
    this.#defer();
  }

  #isUseful(guest: Guest<T>): boolean {
    return !this.#isClosed && this.#compiled.layout.resettable && !guest.isTainted && !guest.isOversized;
  }

  #drop(): void {
    this.#count--;
    this.#defer();
  }

  #defer(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#options.runtime.defer(this);
  }

  /** Resets what has been used, and calls those who wait, as many as can be served. */
  tidy(): void {
    this.#isDeferred = false;
    for (const guest of this.#used) {
      guest.reset();
      this.#clean.push(guest);
    }
    this.#used = [];
    this.#line.call(this.idle + Math.max(0, this.#max - this.#count));
  }
}

/** A limit stays a limit; whatever else happens is a module that does not start. */
function asStartFault(fault: Fault): Fault {
  const codes: readonly string[] = ['PC_WASM_TRAP', 'PC_WASM_STACK', 'PC_WASM_EXIT'];
  if (!codes.includes(fault.code)) return fault;
  return new Fault('PC_WASM_START', fault.message, { data: fault.data, cause: fault });
}
