import { decodeBody } from '../decode/decode-body.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { createInstructions } from '../decode/instructions.ts';
import { LIMIT, entryFuel } from './cost-model.ts';
import { ChargePlanner, type Prepaid } from './plan-charges.ts';
import type { Survey } from './survey.ts';

/**
 * Finds the functions whose callers pay for them: small, without loops, never called through a reference, and calling only
 * functions like themselves. Callees come before their callers; what calls itself, however indirectly, never gets its turn.
 */
export function findPrepaid(module: DecodedModule, survey: Survey): Prepaid {
  const prepaid: Prepaid = new Int32Array(module.functionTypes.length).fill(-1);
  const callers = new Map<number, number[]>();
  const waiting = new Map<number, number>();
  const ready: number[] = [];
  for (const [index, callees] of survey.small) {
    if (survey.referenced.has(index)) continue;
    const distinct = new Set(callees);
    waiting.set(index, distinct.size);
    if (distinct.size === 0) ready.push(index);
    for (const callee of distinct) {
      const known = callers.get(callee);
      if (known === undefined) callers.set(callee, [index]);
      else known.push(index);
    }
  }
  const planner = new ChargePlanner(module, prepaid, entryFuel(false));
  const list = createInstructions();
  const features = new Set<string>();
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    const body = module.bodies[index - module.importedFunctions];
    if (body === undefined) continue;
    decodeBody(module.bytes, body, list, features);
    const fuel = planner.dearest(list, index);
    if (fuel > LIMIT.prepaid) continue;
    prepaid[index] = fuel;
    for (const caller of callers.get(index) ?? []) {
      const left = (waiting.get(caller) ?? 0) - 1;
      waiting.set(caller, left);
      if (left === 0) ready.push(caller);
    }
  }
  return prepaid;
}
