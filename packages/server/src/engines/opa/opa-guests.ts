import type { Limits } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { createSandbox, type Sandbox } from '../../wasm/sandbox.ts';
import type { EngineHost } from '../engine.ts';
import { askInventory, type InventoryQuestion } from '../inventory.ts';
import { loadBuiltins } from './host-builtin.ts';
import { opaAdapter } from './opa-adapter.ts';
import { lengthOf, type OpaCall, type OpaDescription } from './opa-call.ts';
import { OPA_HOST } from './opa-host.ts';
import { useOpaInstances, type OpaData } from './opa-instances.ts';

/** The instances of one policy on one thread that hold one state of its data. */
export interface OpaGuests {
  readonly description: OpaDescription;
  readonly sandbox: Sandbox<OpaCall>;
  /** No other policy of the thread shares its instances yet. */
  readonly isFirst: boolean;
  /** Makes an instance when there is none. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** Why the last instance did not start, where that was not the sandbox. */
  startFault(): Fault | undefined;
  close(): void;
}

export interface OpaStart {
  readonly module: CompiledModule;
  readonly limits: Limits;
  readonly host: EngineHost;
}

/** Bytes of data that all instances of a policy hold together at most, unless one holds more: each has read it for itself. */
const MAX_HELD = 8 * 1024 * 1024;
const MAX_INSTANCES = 64;

export function openGuests({ module, limits, host }: OpaStart, data: OpaData): OpaGuests {
  const { shared, isFirst, release } = useOpaInstances(module, limits, host, data);
  const size = typeof data === 'string' ? data.length : lengthOf(data.document);
  const sandbox = createSandbox<OpaCall>(module, {
    host: OPA_HOST,
    limits,
    runtime: host.runtime,
    stock: shared.stock,
    adapter: opaAdapter(),
    maxInstances: Math.min(MAX_INSTANCES, Math.max(2, Math.floor(MAX_HELD / (size + 1)))),
  });
  return {
    description: shared.description,
    sandbox,
    isFirst,
    startFault: shared.startFault,
    async prepare(deadline) {
      await loadBuiltins();
      const refused = await sandbox.prepare(deadline);
      return refused === undefined ? undefined : (shared.startFault() ?? refused);
    },
    close() {
      sandbox.close();
      release();
    },
  };
}

/** Where the evaluations of one policy get their instances. */
export interface OpaSource {
  /** The same for all of them; undefined where the cluster is asked first. */
  readonly fixed: OpaGuests | undefined;
  current(deadline: number): Promise<OpaGuests | Fault>;
  close(): void;
}

export function fixedSource(guests: OpaGuests): OpaSource {
  return { fixed: guests, current: () => Promise.resolve(guests), close: () => guests.close() };
}

interface Held {
  readonly inventory: Uint8Array;
  readonly guests: OpaGuests;
  ready: Promise<Fault | undefined> | undefined;
}

/**
 * The cluster is asked before each evaluation. As long as it says the same, instances that have read that already are used; a change is read
 * once, by the first instance, and those who come meanwhile wait for it.
 */
export function followInventory(
  start: OpaStart,
  question: InventoryQuestion,
  [head, tail]: readonly [string, string],
): OpaSource {
  let held: Held | undefined;
  let isClosed = false;

  function hold(inventory: Uint8Array): Held {
    held?.guests.close();
    const document = [Buffer.from(head), inventory, Buffer.from(tail)];
    const guests = openGuests(start, { key: `${stateOf(inventory)} ${head}`, document });
    // A review may be under way still: it gets an instance that nobody keeps.
    if (isClosed) guests.close();
    held = { inventory, guests, ready: undefined };
    return held;
  }

  return {
    fixed: undefined,
    async current(deadline) {
      const inventory = await askInventory(start.host.capabilities, question, deadline);
      if (isFault(inventory)) return inventory;
      const now = held?.inventory === inventory ? held : hold(inventory);
      now.ready ??= now.guests.prepare(deadline);
      const refused = await now.ready;
      if (refused === undefined) return now.guests;
      // The next one may have more time.
      now.ready = undefined;
      return refused;
    },
    close() {
      isClosed = true;
      held?.guests.close();
    },
  };
}

/** Numbers that stand for what was seen of a cluster. */
const states = new WeakMap<Uint8Array, number>();
let lastState = 0;

function stateOf(inventory: Uint8Array): number {
  const state = states.get(inventory) ?? (lastState += 1);
  states.set(inventory, state);
  return state;
}
