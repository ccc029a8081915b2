import type { Clock } from '../kernel/ports.ts';

/** A suspended guest that waits for its next turn. */
export interface Waiting {
  readonly deadline: number;
  resume(): void;
}

/**
 * The guests' scheduler, one for each thread. A guest runs for a slice, then waits here while everything else that the
 * thread has to do runs; each turn of the event loop resumes one guest, in the order in which they came.
 */
export interface WasmRuntime {
  readonly clock: Clock;
  /** Fuel for the next slice, so that it takes about as long as the runtime was told. Never changes how much fuel is used. */
  readonly sliceFuel: number;
  /** A slice of `fuel` took `ms`. */
  measured(fuel: number, ms: number): void;
  enqueue(waiting: Waiting): void;
  /** Runs `work` in a later turn of the event loop, together with other such work. */
  later(work: () => void): void;
  /** Guests that wait now. */
  readonly waiting: number;
}

export interface WasmRuntimeOptions {
  readonly clock: Clock;
  /** Milliseconds of a slice; default 0.5. */
  readonly sliceMs?: number;
}

const MIN_SLICE_FUEL = 1000;
/** The bound that keeps the guest's counter from wrapping, see `instrument/cost-model.ts`. */
const MAX_SLICE_FUEL = 2 ** 30;
/** A first guess for a machine of today: 500,000 units in half a millisecond. */
const FIRST_FUEL_PER_MS = 1_000_000;
/** Share of a new measurement in the running mean. */
const SMOOTHING = 0.2;

export function createWasmRuntime({ clock, sliceMs = 0.5 }: WasmRuntimeOptions): WasmRuntime {
  let fuelPerMs = FIRST_FUEL_PER_MS;
  let sliceFuel = clampSlice(fuelPerMs * sliceMs);
  let queue: Waiting[] = [];
  let pumping = false;
  let postponed: (() => void)[] = [];

  /** One turn: everybody whose time is over ends at once, which costs next to nothing; then the first of the rest goes on. */
  function pump(): void {
    pumping = false;
    const now = clock.now();
    const alive: Waiting[] = [];
    const over: Waiting[] = [];
    for (const waiting of queue) (waiting.deadline <= now ? over : alive).push(waiting);
    const next = alive.shift();
    queue = alive;
    for (const waiting of over) waiting.resume();
    next?.resume();
    if (queue.length > 0) schedule();
  }

  function schedule(): void {
    if (pumping) return;
    pumping = true;
    setImmediate(pump);
  }

  function flush(): void {
    const work = postponed;
    postponed = [];
    for (const item of work) item();
  }

  return {
    clock,
    get sliceFuel() {
      return sliceFuel;
    },
    measured(fuel, ms) {
      // Below the clock's resolution a measurement says nothing.
      if (ms < 0.02) return;
      fuelPerMs += SMOOTHING * (fuel / ms - fuelPerMs);
      sliceFuel = clampSlice(fuelPerMs * sliceMs);
    },
    enqueue(waiting) {
      queue.push(waiting);
      schedule();
    },
    later(work) {
      postponed.push(work);
      if (postponed.length === 1) setImmediate(flush);
    },
    get waiting() {
      return queue.length;
    },
  };
}

function clampSlice(fuel: number): number {
  return Math.min(MAX_SLICE_FUEL, Math.max(MIN_SLICE_FUEL, Math.floor(fuel)));
}
