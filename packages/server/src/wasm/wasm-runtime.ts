import type { Clock } from '../kernel/ports.ts';
import { createIdleRoom, type IdleRoom } from './idle-room.ts';
import { createUncatchable } from './uncatchable.ts';

/** A guest between two slices. */
export interface ParkedGuest {
  readonly deadline: number;
  /** Slices that it has had in this run. */
  readonly slices: number;
  /** Its turn has come. */
  resume(now: number): void;
  /** Its deadline has passed. */
  expire(): void;
}

/** Work that waits until the answers of this turn are on their way. */
export interface Chore {
  tidy(): void;
}

/** The scheduler of one thread: all guests of all its sandboxes take turns here. */
export interface WasmRuntime {
  readonly clock: Clock;
  /** What a host function throws to end its guest. */
  readonly uncatchable: Error;
  /**
   * A guest says how long it has run, in all since its slice began and since it last said so; the answer is whether it has to
   * let others run. It does when its slice is over, or all guests together have had enough of this turn of the event loop.
   */
  isDue(sliceMs: number, newMs: number): boolean;
  park(guest: ParkedGuest): void;
  /** Once in the next turn of the event loop. */
  defer(chore: Chore): void;
  /** Runs it after those that were told of before, so that each has all of its time. It does not reject. */
  start(make: () => Promise<void>): void;
  /** Resolves when all that were told of so far have been run. */
  started(): Promise<void>;
  /** For the instances that nobody uses now. */
  readonly idle: IdleRoom;
}

export function createWasmRuntime(options: {
  readonly clock: Clock;
  readonly sliceMs?: number;
  /** Bytes of memory that idle instances may hold; 256 MiB when absent. */
  readonly maxIdleBytes?: number;
}): WasmRuntime {
  const idle = createIdleRoom(options.maxIdleBytes ?? 256 * 1024 * 1024);
  return new TurnRuntime(options.clock, options.sliceMs ?? 0.5, idle);
}

/** Slices in one turn: new guests get their first one at once, but a crowd of them does not hold up the event loop. */
const SLICES_PER_TURN = 2;

/**
 * One guest gets one slice in each turn of the event loop, so sockets and timers never wait for more than that. In every other
 * turn it is the one that has had the fewest slices, so that an evaluation that needs a few does not wait for a round of a
 * hundred endless ones; in between it is the one that has waited longest, so that a stream of new ones starves nobody.
 */
class TurnRuntime implements WasmRuntime {
  readonly clock: Clock;
  readonly idle: IdleRoom;
  readonly #sliceMs: number;
  /** Milliseconds that guests have run in this turn. */
  #spent = 0;
  readonly uncatchable: Error = createUncatchable();
  /** In the order in which they came. */
  #parked: ParkedGuest[] = [];
  #chores: Chore[] = [];
  /** No parked guest's deadline is earlier. */
  #earliest = Infinity;
  #isAwake = false;
  #isTurnOfLongest = false;
  #starts: Promise<void> = Promise.resolve();
  readonly #turn = (): void => this.#takeTurn();

  constructor(clock: Clock, sliceMs: number, idle: IdleRoom) {
    this.clock = clock;
    this.idle = idle;
    this.#sliceMs = sliceMs;
  }

  isDue(sliceMs: number, newMs: number): boolean {
    this.#spent += newMs;
    return sliceMs >= this.#sliceMs || this.#spent >= this.#sliceMs * SLICES_PER_TURN;
  }

  park(guest: ParkedGuest): void {
    this.#parked.push(guest);
    if (guest.deadline < this.#earliest) this.#earliest = guest.deadline;
    this.#wake();
  }

  defer(chore: Chore): void {
    this.#chores.push(chore);
    this.#wake();
  }

  start(make: () => Promise<void>): void {
    this.#starts = this.#starts.then(make);
  }

  started(): Promise<void> {
    return this.#starts;
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    setImmediate(this.#turn);
  }

  #takeTurn(): void {
    this.#isAwake = false;
    this.#spent = 0;
    if (this.#chores.length > 0) {
      const chores = this.#chores;
      this.#chores = [];
      for (const chore of chores) chore.tidy();
    }
    const now = this.clock.now();
    if (now >= this.#earliest) this.#expire(now);
    // It runs when this function has returned, in a microtask.
    this.#next()?.resume(now);
    if (this.#parked.length > 0) this.#wake();
  }

  #next(): ParkedGuest | undefined {
    this.#isTurnOfLongest = !this.#isTurnOfLongest;
    if (this.#isTurnOfLongest) return this.#parked.shift();
    const fewest = this.#parked.reduce((least, { slices }) => Math.min(least, slices), Infinity);
    const index = this.#parked.findIndex(({ slices }) => slices === fewest);
    return index < 0 ? undefined : this.#parked.splice(index, 1)[0];
  }

  #expire(now: number): void {
    this.#earliest = Infinity;
    this.#parked = this.#parked.filter((guest) => {
      if (guest.deadline <= now) {
        guest.expire();
        return false;
      }
      if (guest.deadline < this.#earliest) this.#earliest = guest.deadline;
      return true;
    });
  }
}
