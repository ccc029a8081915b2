import type { ByteReader } from '../binary/byte-reader.ts';
import { OP, OPCODES } from '../binary/opcodes.ts';
import type { Instructions } from './instructions.ts';
import { FLOW, flowOf } from './control-flow.ts';
import type { TypeCodes } from './decode-types.ts';

/**
 * V8 compiles a function when it is first called, in one go, and at every branch and block its baseline compiler copies or
 * compares the state of all locals and operands, about 30 ns each: a function of 90 KB can hold everything up for 80 seconds. So the
 * sum over branches and blocks of what is live there has a cap. The largest seen in real modules (QuickJS, SQLite, Cedar, esbuild, Go)
 * is 320,000 a function, and 6 million a module.
 */
const MAX_FUNCTION_WORK = 2_000_000;
const MAX_MODULE_WORK = 40_000_000;

/**
 * Calls, and what can trap apart from loads and stores, make V8 note where they are and write code that lies aside: about 0.4 µs
 * and 1.5 KB each, in both of its compilers. A million calls in one function took it 1.6 GB.
 */
const ASIDE_WORK = 16;

const ASIDE = new Uint8Array(OPCODES.length);
for (const [from, to] of [
  [OP.call, OP.returnCallIndirect],
  [OP.i32DivS, OP.i32RemU],
  [OP.i64DivS, OP.i64RemU],
  [OP.i32TruncF32S, OP.i32TruncF64U],
  [OP.i64TruncF32S, OP.i64TruncF64U],
  [OP.memoryInit, OP.tableFill],
] as const) {
  ASIDE.fill(ASIDE_WORK, from, to + 1);
}

/** What the types of functions and tags say; all by index. */
export interface Signatures {
  readonly types: readonly TypeCodes[];
  readonly functionTypes: readonly number[];
  readonly tagTypes: readonly number[];
}

/** Adds up the work of compiling a module's functions, and refuses what is beyond the caps. */
export class CompileWork {
  readonly #signatures: Signatures;
  #total = 0;

  constructor(signatures: Signatures) {
    this.#signatures = signatures;
  }

  add(reader: ByteReader, list: Instructions, functionIndex: number): void {
    const { types, functionTypes } = this.#signatures;
    const parameters = types[functionTypes[functionIndex] ?? 0]?.params.length ?? 0;
    const work = new FunctionWork(this.#signatures, reader.bytes, list).sum(parameters + list.locals);
    this.#total += work;
    if (work > MAX_FUNCTION_WORK) {
      reader.refuse('a function with too many locals and branches to compile in time', list.bodyStart);
    }
    if (this.#total > MAX_MODULE_WORK) {
      reader.refuse('functions with too many locals and branches to compile in time', list.bodyStart);
    }
  }
}

class FunctionWork {
  readonly #signatures: Signatures;
  readonly #bytes: Uint8Array;
  readonly #list: Instructions;
  /** Height of the operand stack below each open block, and how many values the block leaves. */
  readonly #open: { readonly height: number; readonly results: number }[] = [];
  #height = 0;

  constructor(signatures: Signatures, bytes: Uint8Array, list: Instructions) {
    this.#signatures = signatures;
    this.#bytes = bytes;
    this.#list = list;
  }

  sum(locals: number): number {
    let work = 0;
    for (let index = 0; index < this.#list.count; index++) {
      const op = this.#list.op[index] as number;
      work += ASIDE[op] as number;
      if (op > OP.tryTable) {
        this.#height += OPCODES[op]?.stack ?? 0;
        continue;
      }
      this.#follow(op, index);
      work += this.#states(op, index) * (locals + Math.max(0, this.#height));
    }
    return work;
  }

  /** How many states an instruction makes the compiler keep or merge. */
  #states(op: number, index: number): number {
    if (op === OP.brTable || op === OP.tryTable) {
      return 1 + (this.#list.labels[this.#list.arg[index] as number] as number);
    }
    if (op >= OP.call && op <= OP.returnCallIndirect) return 0;
    return 1;
  }

  #follow(op: number, index: number): void {
    this.#height += OPCODES[op]?.stack ?? 0;
    switch (flowOf(this.#list, index)) {
      case FLOW.block:
      case FLOW.loop:
      case FLOW.if:
        this.#open.push({ height: this.#height, results: this.#blockResults(index) });
        return;
      case FLOW.else:
      case FLOW.catch:
        this.#height = (this.#open.at(-1)?.height ?? 0) + (op === OP.catch ? this.#payload(index) : 0);
        return;
      case FLOW.end:
        this.#leave();
        return;
      default:
        if (op === OP.call) this.#call(this.#signatures.functionTypes[this.#list.arg[index] as number] ?? 0);
        if (op === OP.callIndirect) this.#call(this.#list.arg[index] as number);
    }
  }

  #leave(): void {
    const closed = this.#open.pop();
    this.#height = (closed?.height ?? 0) + (closed?.results ?? 0);
  }

  #call(typeIndex: number): void {
    const type = this.#signatures.types[typeIndex];
    this.#height += (type?.results.length ?? 0) - (type?.params.length ?? 0);
  }

  #payload(index: number): number {
    const typeIndex = this.#signatures.tagTypes[this.#list.arg[index] as number] ?? 0;
    return this.#signatures.types[typeIndex]?.params.length ?? 0;
  }

  /** The block's type stands behind its opcode. Its parameters stay where they are. */
  #blockResults(index: number): number {
    const at = (this.#list.at[index] as number) + 1;
    const first = this.#bytes[at] as number;
    if (first === 0x40) return 0;
    if (first < 0x80 && (first & 0x40) !== 0) return 1;
    let typeIndex = 0;
    for (let shift = 0, next = 0x80, from = at; next >= 0x80 && shift < 35; shift += 7) {
      next = this.#bytes[from++] as number;
      typeIndex |= (next & 0x7f) << shift;
    }
    return this.#signatures.types[typeIndex]?.results.length ?? 0;
  }
}
