import { OP } from '../binary/opcodes.ts';
import type { Instructions } from './instructions.ts';

/** What an instruction does to the way ahead. */
export const FLOW = {
  onward: 0,
  block: 1,
  loop: 2,
  if: 3,
  else: 4,
  catch: 5,
  end: 6,
  branch: 7,
  branchIf: 8,
  branchTable: 9,
  leave: 10,
} as const;

const KINDS = new Uint8Array(0x400);
KINDS[OP.block] = FLOW.block;
KINDS[OP.try] = FLOW.block;
KINDS[OP.tryTable] = FLOW.block;
KINDS[OP.loop] = FLOW.loop;
KINDS[OP.if] = FLOW.if;
KINDS[OP.else] = FLOW.else;
KINDS[OP.catch] = FLOW.catch;
KINDS[OP.catchAll] = FLOW.catch;
KINDS[OP.end] = FLOW.end;
KINDS[OP.delegate] = FLOW.end;
KINDS[OP.br] = FLOW.branch;
KINDS[OP.brIf] = FLOW.branchIf;
KINDS[OP.brTable] = FLOW.branchTable;
for (const op of [OP.return, OP.unreachable, OP.throw, OP.rethrow, OP.throwRef]) KINDS[op] = FLOW.leave;
for (const op of [OP.returnCall, OP.returnCallIndirect]) KINDS[op] = FLOW.leave;

/** One of {@link FLOW}. A loop that nothing goes back to is a block. */
export function flowOf(list: Instructions, index: number): number {
  const kind = KINDS[list.op[index] as number] as number;
  return kind === FLOW.loop && list.arg[index] === 0 ? FLOW.block : kind;
}

/** The place of a label in tables by label: its opener, or behind all instructions for the function. */
export function labelSlot(list: Instructions, opener: number): number {
  return opener < 0 ? list.count : opener;
}

export function isRepeated(list: Instructions, opener: number): boolean {
  return opener >= 0 && flowOf(list, opener) === FLOW.loop;
}

/** Openers of the labels of a br_table or a try_table. */
export function labelsOf(list: Instructions, index: number): readonly number[] {
  const start = list.arg[index] as number;
  return list.labels.slice(start + 1, start + 1 + (list.labels[start] as number));
}
