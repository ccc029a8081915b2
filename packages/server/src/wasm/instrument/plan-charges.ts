import { OP, OPCODES } from '../binary/opcodes.ts';
import type { Instructions } from '../decode/instructions.ts';

/** Where a body pays: `amount[i]` before instruction i. */
export interface ChargePlan {
  amount: Int32Array;
}

export function createChargePlan(): ChargePlan {
  return { amount: new Int32Array(4096) };
}

/** Control goes elsewhere, or comes from elsewhere, right after these. */
const BORDERS: ReadonlySet<number> = new Set([
  OP.loop,
  OP.if,
  OP.else,
  OP.end,
  OP.try,
  OP.tryTable,
  OP.catch,
  OP.catchAll,
  OP.delegate,
  OP.br,
  OP.brIf,
  OP.brTable,
  OP.return,
  OP.unreachable,
  OP.throw,
  OP.rethrow,
  OP.throwRef,
]);

/** Every straight line pays at its start for all of it. */
export function planCharges(list: Instructions, plan: ChargePlan): void {
  if (plan.amount.length <= list.count) plan.amount = new Int32Array(list.count * 2);
  const { amount } = plan;
  amount.fill(0, 0, list.count + 1);
  let line = 0;
  for (let index = 0; index < list.count; index++) {
    const op = list.op[index] as number;
    amount[line] = (amount[line] as number) + (OPCODES[op]?.fuel ?? 0);
    if (BORDERS.has(op)) line = index + 1;
  }
  amount[0] = (amount[0] as number) + 1 + (list.locals >>> 2);
}
