import { Fault, isFault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';
import { timeoutFault } from './ending.ts';
import { PAGE } from './guest-memory.ts';
import { DEFAULT_TABLE_ELEMENTS, type Guest, type GuestLimits, type Run, type Task } from './guest.ts';
import { GuestStock, type StockOptions } from './guest-stock.ts';
import { createWaitingLine } from '../kernel/waiting-line.ts';

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

export interface SandboxOptions<T> extends StockOptions<T> {
  /** Runs at the same time; further ones wait in order. 64 when absent. */
  readonly maxInstances?: number;
  /** Where its instances come from; one of its own when absent. Made of the same module and options. */
  readonly stock?: GuestStock<T>;
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

class Pool<T> implements Sandbox<T> {
  readonly #options: SandboxOptions<T>;
  readonly #max: number;
  readonly #refused: Fault | undefined;
  readonly #stock: GuestStock<T>;
  /** Instances that run or are being made. */
  #running = 0;
  readonly #line = createWaitingLine();
  #isDeferred = false;

  constructor(compiled: CompiledModule, options: SandboxOptions<T>) {
    this.#options = options;
    this.#max = options.maxInstances ?? 64;
    this.#refused = checkLimits(compiled, options.limits);
    this.#stock = options.stock ?? new GuestStock(compiled, options);
  }

  get idle(): number {
    return this.#stock.idle;
  }

  run(
    entry: string,
    context: T,
    deadline: number,
    args: readonly number[] = NO_ARGUMENTS,
  ): Promise<Run | Fault> {
    const task = { context, deadline };
    const isFree = this.#line.length === 0 && this.#running < this.#max;
    const guest = isFree ? this.#stock.take() : undefined;
    if (guest === undefined) return this.#runLater(entry, task, args);
    this.#running++;
    return this.#start(guest, entry, task, args);
  }

  async #runLater(entry: string, task: Task<T>, args: readonly number[]): Promise<Run | Fault> {
    const guest = await this.#acquire(task.deadline);
    return isFault(guest) ? guest : this.#start(guest, entry, task, args);
  }

  #start(guest: Guest<T>, entry: string, task: Task<T>, args: readonly number[]): Promise<Run | Fault> {
    guest.onEnd = this.#release;
    return guest.run(entry, task, args);
  }

  async prepare(deadline: number): Promise<Fault | undefined> {
    const guest = await this.#acquire(deadline);
    if (isFault(guest)) return guest;
    this.#release(guest);
    return undefined;
  }

  close(): void {
    if (this.#options.stock === undefined) this.#stock.close();
  }

  /** An instance of one's own, or a fault when there is none before the deadline. */
  async #acquire(deadline: number): Promise<Guest<T> | Fault> {
    if (this.#refused !== undefined) return this.#refused;
    const { clock } = this.#options.runtime;
    for (let isNew = true; this.#mustWait(isNew); isNew = false) {
      const isTurn = await this.#line.join(deadline - clock.now());
      if (!isTurn) return timeoutFault(NOTHING_USED);
    }
    this.#running++;
    const guest = await this.#stock.obtain(deadline);
    if (isFault(guest)) this.#end();
    return guest;
  }

  /** Newcomers wait for those who wait already. */
  #mustWait(isNew: boolean): boolean {
    return (isNew && this.#line.length > 0) || this.#running >= this.#max;
  }

  readonly #release = (guest: Guest<T>): void => {
    this.#stock.give(guest);
    this.#end();
  };

  #end(): void {
    this.#running--;
    if (this.#isDeferred || this.#line.length === 0) return;
    this.#isDeferred = true;
    this.#options.runtime.defer(this);
  }

  /** Calls those who wait, as many as can be served. */
  tidy(): void {
    this.#isDeferred = false;
    this.#line.call(this.#max - this.#running);
  }
}
