import { Fault, isFault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';
import { checkLimits, type GuestLimits } from './guest-limits.ts';
import { Guest, type Run } from './guest.ts';
import type { HostInterface } from './host-interface.ts';
import { RESERVED } from './instrumented.ts';
import type { WasmRuntime } from './wasm-runtime.ts';

/** One module with one policy's limits on one thread: as many instances as run at the same time, each used again. */
export interface Sandbox<T> {
  /** Makes the first instance, start function and initialisation included. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** One evaluation. Never rejects; a fault's `data` has `fuel` and `memoryBytes`. */
  run(entry: string, context: T, deadline: number): Promise<Run | Fault>;
  /** Instances that are ready. */
  readonly idle: number;
  /** Evaluations under way end by themselves. */
  close(): void;
}

export interface SandboxOptions<T> {
  readonly host: HostInterface<T>;
  readonly limits: GuestLimits;
  readonly runtime: WasmRuntime;
  /** Evaluations at the same time; further ones wait for their turn. Default 64. */
  readonly maxInstances?: number;
  readonly initialise?: {
    /** Called once on each new instance if exported, after the start function and before the state is kept. */
    readonly exports: readonly string[];
    readonly context: () => T;
  };
}

/** Ready instances that are kept; a burst makes more, which go again. */
const MAX_IDLE = 8;
/** An instance that has grown by more than this is not kept: memory cannot shrink. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;

export function createSandbox<T>(compiled: CompiledModule, options: SandboxOptions<T>): Sandbox<T> {
  const { limits, runtime, initialise } = options;
  const { layout } = compiled;
  const maxInstances = options.maxInstances ?? 64;
  const ready: Guest<T>[] = [];
  /** Used, answered, and not reset yet. */
  const used: Guest<T>[] = [];
  const queue: (() => void)[] = [];
  let running = 0;
  let closed = false;

  const needsSetUp = (guest: Guest<T>): boolean =>
    layout.hasStart || (initialise?.exports.some((name) => guest.has(name)) ?? false);

  function take(): Guest<T> | undefined {
    const guest = ready.pop();
    if (guest !== undefined) return guest;
    const dirty = used.pop();
    dirty?.reset();
    return dirty;
  }

  function create(): Guest<T> | Fault {
    const refused = checkLimits(compiled, limits);
    if (refused !== undefined) return refused;
    try {
      return new Guest(compiled, options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return new Fault('PC_WASM_START', reason, { cause: error });
    }
  }

  /** Runs what the module does before its first evaluation, and keeps the state after it. */
  async function setUp(guest: Guest<T>, deadline: number): Promise<Fault | undefined> {
    const steps = [...(layout.hasStart ? [RESERVED.start] : []), ...(initialise?.exports ?? [])];
    for (const step of steps) {
      if (!guest.has(step)) continue;
      const done = await guest.run(step, initialise?.context() as T, deadline);
      if (isFault(done))
        return new Fault('PC_WASM_START', `start failed: ${done.message}`, { cause: done, data: done.data });
    }
    return undefined;
  }

  async function createReady(deadline: number): Promise<Guest<T> | Fault> {
    const guest = create();
    if (isFault(guest)) return guest;
    const failed = await setUp(guest, deadline);
    if (failed !== undefined) return failed;
    guest.snapshot();
    return guest;
  }

  function run(entry: string, context: T, deadline: number): Promise<Run | Fault> {
    if (running >= maxInstances) return waitForTurn(entry, context, deadline);
    const guest = take();
    if (guest === undefined) return runFresh(entry, context, deadline);
    return runOn(guest, entry, context, deadline);
  }

  function runOn(guest: Guest<T>, entry: string, context: T, deadline: number): Promise<Run | Fault> {
    running += 1;
    return guest.run(entry, context, deadline).then((done) => {
      release(guest, done);
      return done;
    });
  }

  async function runFresh(entry: string, context: T, deadline: number): Promise<Run | Fault> {
    const made = create();
    if (isFault(made)) return made;
    if (!needsSetUp(made)) {
      made.snapshot();
      return runOn(made, entry, context, deadline);
    }
    // Counts while it is set up, so that a burst cannot make more instances than allowed.
    running += 1;
    const failed = await setUp(made, deadline);
    running -= 1;
    if (failed !== undefined) {
      wake();
      return failed;
    }
    made.snapshot();
    return runOn(made, entry, context, deadline);
  }

  async function waitForTurn(entry: string, context: T, deadline: number): Promise<Run | Fault> {
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.push(resolve);
    const timer = setTimeout(resolve, deadline - runtime.clock.now());
    await promise;
    clearTimeout(timer);
    const place = queue.indexOf(resolve);
    if (place >= 0) queue.splice(place, 1);
    if (runtime.clock.now() < deadline) return run(entry, context, deadline);
    wake();
    return new Fault(
      'PC_WASM_TIMEOUT',
      `waited too long: ${maxInstances} evaluations of the policy are under way`,
      {
        data: { fuel: 0, memoryBytes: 0 },
      },
    );
  }

  function release(guest: Guest<T>, done: Run | Fault): void {
    running -= 1;
    if (isReusable(guest, done)) {
      used.push(guest);
      runtime.later(cleanUp);
    }
    wake();
  }

  /** After a fault nobody knows what the guest was in the middle of. */
  function isReusable(guest: Guest<T>, done: Run | Fault): boolean {
    if (closed || isFault(done) || !layout.resettable) return false;
    if (ready.length + used.length >= MAX_IDLE) return false;
    return guest.heldBytes <= layout.initialPages * 65_536 + MAX_GROWTH_BYTES;
  }

  /** The answer is out by now; the next review finds a clean instance. */
  function cleanUp(): void {
    for (let guest = used.pop(); guest !== undefined; guest = used.pop()) {
      guest.reset();
      ready.push(guest);
    }
  }

  function wake(): void {
    queue.shift()?.();
  }

  return {
    run,
    async prepare(deadline) {
      const guest = await createReady(deadline);
      if (isFault(guest)) return guest;
      if (!closed) ready.push(guest);
      return undefined;
    },
    get idle() {
      return ready.length + used.length;
    },
    close() {
      closed = true;
      ready.length = 0;
      used.length = 0;
    },
  };
}
