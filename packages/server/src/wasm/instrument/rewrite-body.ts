import { OP } from '../binary/opcodes.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import type { Instructions } from '../decode/instructions.ts';
import type { Additions } from './additions.ts';
import { CodeWriter } from './code-writer.ts';
import { SIZE_COST } from './cost-model.ts';
import { FuelInGlobal, FuelInLocal, type FuelPlace, type Hints } from './fuel-place.ts';
import type { ChargePlan, Prepaid } from './plan-charges.ts';
import type { RuntimeParts } from './runtime-functions.ts';
import type { StandIns } from './stand-ins.ts';

/** What all bodies of one module share. */
export interface BodyContext {
  readonly module: DecodedModule;
  readonly additions: Additions;
  readonly parts: RuntimeParts;
  readonly prepaid: Prepaid;
  /** Some function of the module catches exceptions. */
  readonly catches: boolean;
  readonly standIns: StandIns;
  /** Grow functions by table index. */
  readonly growTable: ReadonlyMap<number, number>;
}

export interface RewrittenBody {
  readonly out: CodeWriter;
  readonly hints: Hints;
}

/** One body, while it is written. */
interface Target {
  readonly out: CodeWriter;
  readonly fuel: FuelPlace;
  readonly context: BodyContext;
  /** Index of an i32 local of ours. */
  readonly scratch: number;
}

/** Writes the body of function `index` of the original with its payments. */
export function rewriteBody(
  list: Instructions,
  plan: ChargePlan,
  index: number,
  context: BodyContext,
): RewrittenBody {
  const { module, parts } = context;
  const type = module.types[module.functionTypes[index] ?? 0];
  const scratch = (type?.params.length ?? 0) + list.locals;
  const out = new CodeWriter((list.at[list.count] as number) - list.bodyStart + 64);
  const hints: Hints = [];
  const fuel =
    list.hasLoop && !list.hasHandler
      ? new FuelInLocal(out, parts, hints, scratch + 1)
      : new FuelInGlobal(out, parts, hints);
  writeLocals(list, module.bytes, out);
  if ((context.prepaid[index] as number) < 0) fuel.enter(plan.entry);
  writeInstructions({ out, fuel, context, scratch }, list, plan);
  return { out, hints };
}

function writeInstructions(target: Target, list: Instructions, plan: ChargePlan): void {
  const { out, fuel, context } = target;
  const { bytes } = context.module;
  let copied = list.codeStart;
  for (let index = 0; index < list.count; index++) {
    const amount = plan.amount[index] as number;
    const rewrite = REWRITE[list.op[index] as number];
    if (amount === 0 && rewrite === undefined) continue;
    const at = list.at[index] as number;
    if (at > copied) out.copy(bytes, copied, at);
    if (amount !== 0) fuel.pay(amount);
    rewrite?.(target, list, index);
    copied = rewrite === undefined ? at : (list.at[index + 1] as number);
  }
  out.copy(bytes, copied, list.at[list.count] as number);
}

/** The guest's groups of locals, and two of ours. */
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
  out.raw([2, 0x7f]);
}

type Rewriter = (target: Target, list: Instructions, index: number) => void;

/** Instructions around which something is written, or that come out otherwise than they went in. */
const REWRITE: readonly (Rewriter | undefined)[] = rewriters([
  [OP.call, callFunction],
  [OP.callIndirect, callOut],
  [OP.returnCall, moveFunctionIndex],
  [OP.loop, border],
  [OP.if, border],
  [OP.else, border],
  [OP.end, border],
  [OP.br, border],
  [OP.brIf, border],
  [OP.brTable, border],
  [OP.refFunc, ({ out, context }, list, index) => referFunction(out, context, list.arg[index] as number)],
  [OP.memorySize, ({ out, context }) => void out.at(OP.globalGet, context.parts.pages)],
  [OP.memoryGrow, growMemory],
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

function copy({ out, context }: Target, list: Instructions, index: number): void {
  out.copy(context.module.bytes, list.at[index] as number, list.at[index + 1] as number);
}

function border(target: Target, list: Instructions, index: number): void {
  target.fuel.border();
  copy(target, list, index);
}

function moveFunctionIndex({ out, context }: Target, list: Instructions, index: number): void {
  out.at(list.op[index] as number, context.additions.moved(list.arg[index] as number));
}

function referFunction(out: CodeWriter, context: BodyContext, index: number): void {
  out.at(OP.refFunc, context.standIns.referenced(index));
}

function callFunction(target: Target, list: Instructions, index: number): void {
  const prepaid = (target.context.prepaid[list.arg[index] as number] as number) >= 0;
  if (!prepaid) target.fuel.lend();
  moveFunctionIndex(target, list, index);
}

function callOut(target: Target, list: Instructions, index: number): void {
  target.fuel.lend();
  copy(target, list, index);
}

function growMemory({ out, fuel, context }: Target): void {
  fuel.lend();
  out.at(OP.call, context.parts.growMemory);
}

/** The size is on top of the operand stack; it is paid for before anything happens. */
function payBytes(target: Target, list: Instructions, index: number): void {
  const { out, scratch, fuel } = target;
  out.at(OP.localSet, scratch);
  fuel.payFor(() => out.at(OP.localGet, scratch).i32(SIZE_COST.bytesShift).op(OP.i32ShrU));
  out.at(OP.localGet, scratch);
  copy(target, list, index);
}

function payElements(target: Target, list: Instructions, index: number): void {
  target.fuel.lend();
  target.out.at(OP.call, target.context.parts.payElements);
  copy(target, list, index);
}

function growTable({ out, fuel, context }: Target, list: Instructions, index: number): void {
  const grow = context.growTable.get(list.arg[index] as number);
  if (grow === undefined) throw new TypeError('a table that grows has no function to grow it');
  fuel.lend();
  out.at(OP.call, grow);
}
