import { OP } from '../binary/opcodes.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import type { Instructions } from '../decode/instructions.ts';
import type { Additions } from './additions.ts';
import { CodeWriter } from './code-writer.ts';
import { SIZE_COST } from './cost-model.ts';
import type { ChargePlan } from './plan-charges.ts';
import type { RuntimeParts } from './runtime-functions.ts';

/** What all bodies of one module share. */
export interface BodyContext {
  readonly module: DecodedModule;
  readonly additions: Additions;
  readonly parts: RuntimeParts;
  /** Grow functions by table index. */
  readonly growTable: ReadonlyMap<number, number>;
}

/** Offsets, from the start of a body, of branches that are unlikely. */
export type Hints = number[];

/** One body, while it is written. */
interface Target {
  readonly out: CodeWriter;
  readonly hints: Hints;
  readonly context: BodyContext;
  /** Index of an i32 local of ours. */
  readonly scratch: number;
}

export function rewriteBody(
  list: Instructions,
  plan: ChargePlan,
  parameters: number,
  context: BodyContext,
): { readonly out: CodeWriter; readonly hints: Hints } {
  const out = new CodeWriter(list.count * 3);
  const target: Target = { out, hints: [], context, scratch: parameters + list.locals };
  writeLocals(list, context.module.bytes, out);
  const { bytes } = context.module;
  for (let index = 0; index < list.count; index++) {
    const amount = plan.amount[index] as number;
    if (amount > 0) writeCharge(target, amount);
    const rewrite = REWRITE[list.op[index] as number];
    if (rewrite === undefined) out.copy(bytes, list.at[index] as number, list.at[index + 1] as number);
    else rewrite(target, list, index);
  }
  return { out, hints: target.hints };
}

/** The guest's groups of locals and one of ours. */
function writeLocals(list: Instructions, bytes: Uint8Array, out: CodeWriter): void {
  let at = list.bodyStart;
  let groups = 0;
  for (let shift = 0; ; shift += 7) {
    const next = bytes[at++] as number;
    groups |= (next & 0x7f) << shift;
    if (next < 0x80) break;
  }
  out.u32(groups + 1);
  out.copy(bytes, at, list.codeStart);
  out.raw([1, 0x7f]);
}

/** fuel = fuel - amount; if (fuel < 0) refuel */
function writeCharge(target: Target, amount: number): void {
  const { fuel } = target.context.parts;
  target.out.at(OP.globalGet, fuel).i32(amount).op(OP.i32Sub).at(OP.globalSet, fuel);
  writeCheck(target);
}

function writeCheck({ out, hints, context: { parts } }: Target): void {
  out.at(OP.globalGet, parts.fuel).i32(0).op(OP.i32LtS);
  hints.push(out.length);
  out.open(OP.if).at(OP.call, parts.refuel).end();
}

type Rewriter = (target: Target, list: Instructions, index: number) => void;

/** Instructions that come out otherwise than they went in; by code. */
const REWRITE: readonly (Rewriter | undefined)[] = rewriters([
  [OP.call, moveFunctionIndex],
  [OP.returnCall, moveFunctionIndex],
  [OP.refFunc, moveFunctionIndex],
  [OP.memorySize, ({ out, context }) => void out.at(OP.globalGet, context.parts.pages)],
  [OP.memoryGrow, ({ out, context }) => void out.at(OP.call, context.parts.growMemory)],
  [OP.memoryInit, payBytes],
  [OP.memoryCopy, payBytes],
  [OP.memoryFill, payBytes],
  [OP.tableInit, payElements],
  [OP.tableCopy, payElements],
  [OP.tableFill, payElements],
  [OP.tableGrow, growTable],
]);

function rewriters(rows: readonly (readonly [number, Rewriter])[]): (Rewriter | undefined)[] {
  const table: (Rewriter | undefined)[] = Array.from({ length: 0x400 }, () => undefined);
  for (const [op, rewrite] of rows) table[op] = rewrite;
  return table;
}

function moveFunctionIndex({ out, context }: Target, list: Instructions, index: number): void {
  out.at(list.op[index] as number, context.additions.moved(list.arg[index] as number));
}

function copy({ out, context }: Target, list: Instructions, index: number): void {
  out.copy(context.module.bytes, list.at[index] as number, list.at[index + 1] as number);
}

/** The size is on top of the operand stack; it is paid for before anything happens. */
function payBytes(target: Target, list: Instructions, index: number): void {
  const { out, scratch, context } = target;
  const { fuel } = context.parts;
  out.at(OP.localSet, scratch);
  out.at(OP.globalGet, fuel).at(OP.localGet, scratch).i32(SIZE_COST.bytesShift).op(OP.i32ShrU);
  out.op(OP.i32Sub).at(OP.globalSet, fuel);
  writeCheck(target);
  out.at(OP.localGet, scratch);
  copy(target, list, index);
}

function payElements(target: Target, list: Instructions, index: number): void {
  target.out.at(OP.call, target.context.parts.payElements);
  copy(target, list, index);
}

function growTable({ out, context }: Target, list: Instructions, index: number): void {
  const grow = context.growTable.get(list.arg[index] as number);
  if (grow === undefined) throw new TypeError('a table that grows has no function to grow it');
  out.at(OP.call, grow);
}
