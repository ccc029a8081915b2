import { OP } from '../binary/opcodes.ts';
import type { CodeWriter } from './code-writer.ts';
import type { RuntimeParts } from './runtime-functions.ts';

/** Offsets, from the start of a body, of branches that are unlikely. */
export type Hints = number[];

/** Where a body keeps the fuel, as code that works on it. Nothing of it touches the guest's operands. */
export interface FuelPlace {
  /** At the entry, with a check. */
  enter(amount: number): void;
  /** With a check when positive, without when negative. */
  pay(amount: number): void;
  /** With a check, an amount that `write` puts on the stack. */
  payFor(write: () => void): void;
  /** At a call of what pays for itself. */
  lend(): void;
  /** Before control goes elsewhere in the body or comes from elsewhere. */
  border(): void;
}

/** In the global alone. */
export class FuelInGlobal implements FuelPlace {
  readonly #out: CodeWriter;
  readonly #parts: RuntimeParts;
  readonly #hints: Hints;

  constructor(out: CodeWriter, parts: RuntimeParts, hints: Hints) {
    this.#out = out;
    this.#parts = parts;
    this.#hints = hints;
  }

  enter(amount: number): void {
    this.pay(amount);
  }

  pay(amount: number): void {
    this.#out.at(OP.globalGet, this.#parts.fuel).i32(Math.abs(amount)).op(OP.i32Sub);
    this.#out.at(OP.globalSet, this.#parts.fuel);
    if (amount > 0) this.#check();
  }

  payFor(write: () => void): void {
    this.#out.at(OP.globalGet, this.#parts.fuel);
    write();
    this.#out.op(OP.i32Sub).at(OP.globalSet, this.#parts.fuel);
    this.#check();
  }

  #check(): void {
    this.#out.at(OP.globalGet, this.#parts.fuel).i32(0).op(OP.i32LtS);
    this.#hints.push(this.#out.length);
    this.#out.open(OP.if).at(OP.call, this.#parts.refuel).end();
  }

  lend(): void {}
  border(): void {}
}

/**
 * In a local, so in a register, with every change written through to the global: reading from a register and writing
 * without waiting is cheap, and the global is right at any time, even when control leaves by a trap. Only what others may
 * have changed has to be read again: after a call, when it is needed or when ways meet. So do functions with loops, but not
 * those that catch: their handlers are reached from the middle of a call.
 */
export class FuelInLocal implements FuelPlace {
  readonly #out: CodeWriter;
  readonly #parts: RuntimeParts;
  readonly #hints: Hints;
  readonly #local: number;
  #lent = false;

  constructor(out: CodeWriter, parts: RuntimeParts, hints: Hints, local: number) {
    this.#out = out;
    this.#parts = parts;
    this.#hints = hints;
    this.#local = local;
  }

  enter(amount: number): void {
    this.#lent = true;
    this.pay(amount);
  }

  pay(amount: number): void {
    this.#get();
    this.#out.i32(Math.abs(amount)).op(OP.i32Sub);
    this.#put(amount > 0);
  }

  payFor(write: () => void): void {
    this.#get();
    write();
    this.#out.op(OP.i32Sub);
    this.#put(true);
  }

  #get(): void {
    if (this.#lent) this.#out.at(OP.globalGet, this.#parts.fuel);
    else this.#out.at(OP.localGet, this.#local);
    this.#lent = false;
  }

  #put(check: boolean): void {
    this.#out.at(OP.localTee, this.#local).at(OP.globalSet, this.#parts.fuel);
    if (!check) return;
    this.#out.at(OP.localGet, this.#local).i32(0).op(OP.i32LtS);
    this.#hints.push(this.#out.length);
    this.#out.open(OP.if).at(OP.call, this.#parts.refuel);
    this.#out.at(OP.globalGet, this.#parts.fuel).at(OP.localSet, this.#local).end();
  }

  lend(): void {
    this.#lent = true;
  }

  border(): void {
    if (this.#lent) this.#out.at(OP.globalGet, this.#parts.fuel).at(OP.localSet, this.#local);
    this.#lent = false;
  }
}
