import { OP } from '../binary/opcodes.ts';
import type { Instructions } from '../decode/instructions.ts';
import { FLOW, flowOf, isRepeated, labelSlot, labelsOf } from '../decode/control-flow.ts';

/** Some throw leads to the label: nothing can be paid for it before. */
export const REACHED_BY_THROW = -1;

/** What the walk finds for each label, by its slot. */
export interface LabelWays {
  /** Cost of the cheapest way from the label to the next station. */
  readonly cheapest: Float64Array;
  /** The cheapest way that a branch to the label could have gone instead; or REACHED_BY_THROW. */
  readonly lowest: Float64Array;
}

/** Walks a body backwards and finds, for each label, the cheapest way ahead and the cheapest way past it. */
export class CheapestWays implements LabelWays {
  cheapest = new Float64Array(0);
  lowest = new Float64Array(0);
  #otherArm = new Float64Array(0);
  #hasElse = new Uint8Array(0);
  #ahead = 0;

  find(list: Instructions, fuel: Int32Array): void {
    const size = list.count + 1;
    if (this.cheapest.length < size) this.#grow(size + (size >> 2));
    this.lowest.fill(Number.MAX_SAFE_INTEGER, 0, size);
    this.#hasElse.fill(0, 0, size);
    this.#ahead = 0;
    for (let index = list.count - 1; index >= 0; index--) this.#step(list, index, fuel[index] as number);
  }

  #grow(size: number): void {
    this.cheapest = new Float64Array(size);
    this.lowest = new Float64Array(size);
    this.#otherArm = new Float64Array(size);
    this.#hasElse = new Uint8Array(size);
  }

  #step(list: Instructions, index: number, fuel: number): void {
    const opener = list.opener[index] as number;
    switch (flowOf(list, index)) {
      case FLOW.end:
        this.#close(list, opener);
        break;
      case FLOW.else:
        this.#hasElse[opener] = 1;
        this.#otherArm[opener] = this.#ahead;
        this.#ahead = this.cheapest[opener] as number;
        break;
      case FLOW.catch:
        this.#ahead = this.cheapest[opener] as number;
        break;
      case FLOW.if:
        this.#ahead = Math.min(this.#ahead, this.#otherArm[index] as number);
        if (this.#hasElse[index] === 0) this.#pass(list, index);
        this.#ahead += fuel;
        break;
      case FLOW.loop:
        this.#ahead = 0;
        break;
      case FLOW.block:
        if (list.op[index] === OP.tryTable) {
          for (const label of labelsOf(list, index)) this.lowest[labelSlot(list, label)] = REACHED_BY_THROW;
        }
        break;
      case FLOW.branch:
        this.#ahead = fuel + this.#from(list, list.target[index] as number);
        break;
      case FLOW.branchIf:
        this.#ahead = Math.min(this.#ahead, this.#from(list, list.target[index] as number));
        this.#pass(list, list.target[index] as number);
        this.#ahead += fuel;
        break;
      case FLOW.branchTable:
        this.#branchTable(list, index);
        this.#ahead += fuel;
        break;
      case FLOW.leave:
        this.#ahead = fuel;
        break;
      default:
        this.#ahead += fuel;
    }
  }

  #close(list: Instructions, opener: number): void {
    const slot = labelSlot(list, opener);
    if (opener < 0) this.#ahead = 0;
    this.cheapest[slot] = this.#ahead;
    this.#otherArm[slot] = this.#ahead;
  }

  #branchTable(list: Instructions, index: number): void {
    const labels = labelsOf(list, index);
    this.#ahead = Number.MAX_SAFE_INTEGER;
    for (const label of labels) this.#ahead = Math.min(this.#ahead, this.#from(list, label));
    for (const label of labels) this.#pass(list, label);
  }

  /** Going to the head of a loop costs nothing more: it pays for itself. */
  #from(list: Instructions, label: number): number {
    return isRepeated(list, label) ? 0 : (this.cheapest[labelSlot(list, label)] as number);
  }

  #pass(list: Instructions, label: number): void {
    if (isRepeated(list, label)) return;
    const slot = labelSlot(list, label);
    this.lowest[slot] = Math.min(this.lowest[slot] as number, this.#ahead);
  }
}
