import { OP, OPCODES } from '../binary/opcodes.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import type { Instructions } from '../decode/instructions.ts';
import { CheapestWays, REACHED_BY_THROW } from './cheapest-ways.ts';
import { FLOW, flowOf, isRepeated, labelSlot, labelsOf } from '../decode/control-flow.ts';
import { IMPORT_FUEL, LIMIT, SLOTS_SHIFT } from './cost-model.ts';

/*
 * Where a body pays, and how much.
 *
 * Fuel is paid in advance. The value of a point is what has been paid there for the way ahead: at least the cost of the
 * dearest way from there to the next station. A station pays for the way behind it and checks that the fuel is not negative:
 * the entry of a function, the head of a loop. So one subtraction pays for a whole region without loops:
 *
 *    value             station: pay 8, check
 *      8    a  (3)
 *      5    br_if L  ──────┐
 *      4    b  (2)         │
 *      2    L: c  (2)  ◄───┘
 *      0    return
 *
 * Paying always for the dearest way would charge a common short way for a rare long one. Where ways part and their values
 * differ by more than a limit, the dearer one pays the difference itself, at its start: in an arm of `if`, behind `br_if`, or
 * behind the `end` that is branched to. Such a payment does not check, so that it is one machine instruction when the fuel
 * is in a register; how much may go unchecked is bounded, see `LIMIT.debt`.
 *
 * What is paid depends on the way taken and on nothing else: the same input uses the same fuel however it was granted.
 */

/** Where a body pays. */
export interface ChargePlan {
  /** Before instruction i: positive with a check, negative without, 0 nothing. */
  amount: Int32Array;
  /** At the entry, apart from `amount`. */
  entry: number;
}

/** Fuel of a call's callee that its caller pays for, by function index; −1 for functions that pay for themselves. */
export type Prepaid = Int32Array;

/** One planner serves many bodies, one after the other; a plan is good until the next one. */
export class ChargePlanner {
  readonly #module: DecodedModule;
  readonly #prepaid: Prepaid;
  readonly #entryFuel: number;
  readonly #ways = new CheapestWays();
  readonly #plan: ChargePlan = { amount: new Int32Array(0), entry: 0 };
  #fuel = new Int32Array(0);
  /** By label: what is paid for the way from there, and what of the way goes unchecked. */
  #labelValue = new Int32Array(0);
  #labelDebt = new Int32Array(0);
  /** By `if`: the same for its second arm, and where that starts; 0 when there is none. */
  #elseValue = new Int32Array(0);
  #elseDebt = new Int32Array(0);
  #elseStart = new Int32Array(0);
  #value = 0;
  #debt = 0;
  #spread: number = LIMIT.spread;

  constructor(module: DecodedModule, prepaid: Prepaid, entryFuel: number) {
    this.#entryFuel = entryFuel;
    this.#module = module;
    this.#prepaid = prepaid;
  }

  plan(list: Instructions, index: number): ChargePlan {
    this.#spread = LIMIT.spread;
    return this.#run(list, index);
  }

  /** For a body whose callers pay. */
  planNothing(list: Instructions): ChargePlan {
    const size = list.count + 1;
    if (this.#fuel.length < size) this.#grow(size + (size >> 2));
    this.#plan.amount.fill(0, 0, size);
    return this.#plan;
  }

  /** Fuel of the dearest way through a body without loops. */
  dearest(list: Instructions, index: number): number {
    this.#spread = Infinity;
    return this.#run(list, index).entry;
  }

  #run(list: Instructions, functionIndex: number): ChargePlan {
    const size = list.count + 1;
    if (this.#fuel.length < size) this.#grow(size + (size >> 2));
    for (let index = 0; index < list.count; index++) this.#fuel[index] = this.#fuelOf(list, index);
    this.#ways.find(list, this.#fuel);
    this.#plan.amount.fill(0, 0, size);
    this.#value = 0;
    this.#debt = 0;
    for (let index = list.count - 1; index >= 0; index--) this.#step(list, index);
    const type = this.#module.types[this.#module.functionTypes[functionIndex] ?? 0];
    const slots = list.locals + (type?.params.length ?? 0) + (type?.results.length ?? 0);
    this.#plan.entry = this.#value + this.#entryFuel + (slots >>> SLOTS_SHIFT);
    return this.#plan;
  }

  #grow(size: number): void {
    this.#plan.amount = new Int32Array(size);
    this.#fuel = new Int32Array(size);
    this.#labelValue = new Int32Array(size);
    this.#labelDebt = new Int32Array(size);
    this.#elseValue = new Int32Array(size);
    this.#elseDebt = new Int32Array(size);
    this.#elseStart = new Int32Array(size);
  }

  #fuelOf(list: Instructions, index: number): number {
    const op = list.op[index] as number;
    const fuel = OPCODES[op]?.fuel ?? 0;
    if (op !== OP.call && op !== OP.returnCall) return fuel;
    const callee = list.arg[index] as number;
    if (callee < this.#module.importedFunctions) return fuel + IMPORT_FUEL;
    return fuel + Math.max(0, this.#prepaid[callee] as number);
  }

  #step(list: Instructions, index: number): void {
    const fuel = this.#fuel[index] as number;
    const opener = list.opener[index] as number;
    switch (flowOf(list, index)) {
      case FLOW.end:
        this.#close(list, index, opener);
        return;
      case FLOW.else:
        this.#elseValue[opener] = this.#value;
        this.#elseDebt[opener] = this.#debt;
        this.#elseStart[opener] = index + 1;
        this.#goFrom(opener);
        return;
      case FLOW.catch:
        if (this.#value > 0) this.#payChecked(index + 1, this.#value);
        this.#goFrom(opener);
        return;
      case FLOW.if:
        this.#joinArms(index);
        break;
      case FLOW.loop:
        this.#payChecked(index + 1, Math.max(this.#value, 1));
        this.#value = 0;
        return;
      case FLOW.branch:
        this.#value = 0;
        this.#debt = 0;
        this.#joinLabel(list, list.target[index] as number);
        break;
      case FLOW.branchIf:
        this.#branchIf(list, index);
        break;
      case FLOW.branchTable:
        this.#value = 0;
        this.#debt = 0;
        for (const label of labelsOf(list, index)) this.#joinLabel(list, label);
        break;
      case FLOW.leave:
        this.#value = 0;
        this.#debt = 0;
        break;
      default:
        if (this.#value > LIMIT.charge) this.#payChecked(index + 1, this.#value);
    }
    this.#value += fuel;
  }

  /** Behind an `end`: what branches to its label must not be made to pay for is paid here. */
  #close(list: Instructions, index: number, opener: number): void {
    if (opener < 0) {
      this.#value = 0;
      this.#debt = 0;
    }
    const slot = labelSlot(list, opener);
    const lowest = this.#ways.lowest[slot] as number;
    if (lowest === REACHED_BY_THROW) {
      if (this.#value > 0) this.#payChecked(index + 1, this.#value);
    } else if (this.#value - lowest > this.#spread) {
      this.#pay(index + 1, this.#value - lowest);
    }
    this.#labelValue[slot] = this.#value;
    this.#labelDebt[slot] = this.#debt;
    this.#elseValue[slot] = this.#value;
    this.#elseDebt[slot] = this.#debt;
    this.#elseStart[slot] = 0;
  }

  /** Before an `if`: its arms' values differ by no more than the limit, or the dearer arm pays the difference. */
  #joinArms(index: number): void {
    const [other, otherDebt] = [this.#elseValue[index] as number, this.#elseDebt[index] as number];
    const start = this.#elseStart[index] as number;
    const [value, debt] = [this.#value, this.#debt];
    if (value - other > this.#spread) {
      this.#pay(index + 1, value - other);
      this.#debt = Math.max(this.#debt, otherDebt);
    } else if (start > 0 && other - value > this.#spread) {
      this.#value = other;
      this.#debt = otherDebt;
      this.#pay(start, other - value);
      this.#debt = Math.max(this.#debt, debt);
    } else {
      this.#value = Math.max(value, other);
      this.#debt = Math.max(debt, otherDebt);
    }
  }

  #branchIf(list: Instructions, index: number): void {
    const label = list.target[index] as number;
    const taken = isRepeated(list, label) ? 0 : (this.#labelValue[labelSlot(list, label)] as number);
    if (this.#value - taken > this.#spread) this.#pay(index + 1, this.#value - taken);
    this.#joinLabel(list, label);
  }

  #goFrom(opener: number): void {
    this.#value = this.#labelValue[opener] as number;
    this.#debt = this.#labelDebt[opener] as number;
  }

  #joinLabel(list: Instructions, label: number): void {
    if (isRepeated(list, label)) return;
    const slot = labelSlot(list, label);
    this.#value = Math.max(this.#value, this.#labelValue[slot] as number);
    this.#debt = Math.max(this.#debt, this.#labelDebt[slot] as number);
  }

  /** Lowers the value before a point by `amount`. */
  #pay(before: number, amount: number): void {
    if (this.#debt + amount > LIMIT.debt) {
      this.#payChecked(before, amount);
      return;
    }
    this.#plan.amount[before] = -amount;
    this.#value -= amount;
    this.#debt += amount;
  }

  #payChecked(before: number, amount: number): void {
    this.#plan.amount[before] = amount;
    this.#value -= amount;
    this.#debt = 0;
  }
}
