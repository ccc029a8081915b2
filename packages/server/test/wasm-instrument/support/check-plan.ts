import { decodeAndVisit } from '../../../src/wasm/decode/decode-module.ts';
import { decodeBody } from '../../../src/wasm/decode/decode-body.ts';
import type { DecodedModule } from '../../../src/wasm/decode/decoded-module.ts';
import { createInstructions, type Instructions } from '../../../src/wasm/decode/instructions.ts';
import { OP, OPCODES } from '../../../src/wasm/binary/opcodes.ts';
import { entryFuel, IMPORT_FUEL, LIMIT, SLOTS_SHIFT } from '../../../src/wasm/instrument/cost-model.ts';
import { ChargePlanner, type ChargePlan, type Prepaid } from '../../../src/wasm/instrument/plan-charges.ts';
import { findPrepaid } from '../../../src/wasm/instrument/prepaid-functions.ts';
import { Surveyor } from '../../../src/wasm/instrument/survey.ts';

const UNREACHED = Infinity;

/**
 * Holds every plan of a module against its code, by another road than the planner's: forwards. At each instruction the least
 * that can have been paid and not used yet must cover the instruction; every loop that can repeat pays at its head with a
 * check. Returns what is wrong, and how many instructions were looked at. With `short`, entries pay that much too little.
 */
export function checkPlans(
  module: DecodedModule,
  short = 0,
): { readonly problems: string[]; readonly checked: number } {
  const surveyor = new Surveyor();
  decodeAndVisit(module.bytes, (body, index) => surveyor.visit(body, index));
  const survey = surveyor.finish(module);
  const prepaid = findPrepaid(module, survey);
  const planner = new ChargePlanner(module, prepaid, entryFuel(survey.catches));
  const list = createInstructions();
  const problems: string[] = [];
  let checked = 0;
  module.bodies.forEach((body, at) => {
    const index = module.importedFunctions + at;
    decodeBody(module.bytes, body, list, new Set());
    checked += list.count;
    const fuelOf = (instruction: number): number =>
      fuel(list, instruction, prepaid, module.importedFunctions);
    const free = (prepaid[index] as number) >= 0;
    const plan: ChargePlan = free
      ? { amount: new Int32Array(list.count + 1), entry: prepaid[index] as number }
      : planner.plan(list, index);
    const type = module.types[module.functionTypes[index] ?? 0];
    const slots = list.locals + (type?.params.length ?? 0) + (type?.results.length ?? 0);
    const own = entryFuel(survey.catches && !free) + (slots >>> SLOTS_SHIFT);
    const problem = new PlanCheck(list, plan, fuelOf).run(plan.entry - own - short);
    if (problem !== undefined) problems.push(`function ${index}: ${problem}`);
  });
  return { problems, checked };
}

function fuel(list: Instructions, index: number, prepaid: Prepaid, imported: number): number {
  const op = list.op[index] as number;
  const own = OPCODES[op]?.fuel ?? 0;
  if (op !== OP.call && op !== OP.returnCall) return own;
  const callee = list.arg[index] as number;
  return own + (callee < imported ? IMPORT_FUEL : Math.max(0, prepaid[callee] as number));
}

class PlanCheck {
  readonly #list: Instructions;
  readonly #plan: ChargePlan;
  readonly #fuelOf: (index: number) => number;
  /** Least balance with which a label is reached, by opener; the function's at −1. */
  readonly #atLabel = new Map<number, number>();
  /** Balance at an `if`, for its other arm. */
  readonly #atIf = new Map<number, number>();
  #balance = 0;

  constructor(list: Instructions, plan: ChargePlan, fuelOf: (index: number) => number) {
    this.#list = list;
    this.#plan = plan;
    this.#fuelOf = fuelOf;
  }

  run(entry: number): string | undefined {
    this.#balance = entry;
    const { count } = this.#list;
    for (let index = 0; index < count; index++) {
      const amount = this.#plan.amount[index] as number;
      if (amount > 2 * LIMIT.charge) return `pays ${amount} at once`;
      this.#balance += Math.abs(amount);
      const op = this.#list.op[index] as number;
      if (this.#balance !== UNREACHED) {
        this.#balance -= this.#fuelOf(index);
        if (this.#balance < 0)
          return `instruction ${index} (${OPCODES[op]?.names}) is not paid for: ${this.#balance}`;
      }
      const next = this.#plan.amount[index + 1] as number;
      if (op === OP.loop && this.#list.arg[index] === 1 && next <= 0) return `loop ${index} does not check`;
      this.#follow(op, index);
    }
    return undefined;
  }

  #follow(op: number, index: number): void {
    const list = this.#list;
    const opener = list.opener[index] as number;
    if (op === OP.loop) {
      if (list.arg[index] === 1) this.#balance = 0;
    } else if (op === OP.if) {
      this.#atIf.set(index, this.#balance);
    } else if (op === OP.else) {
      this.#reach(opener, this.#balance);
      this.#balance = this.#atIf.get(opener) ?? UNREACHED;
      this.#atIf.delete(opener);
    } else if (op === OP.catch || op === OP.catchAll) {
      this.#reach(opener, this.#balance);
      this.#balance = 0;
    } else if (op === OP.end || op === OP.delegate) {
      const other = list.op[opener] === OP.if ? (this.#atIf.get(opener) ?? UNREACHED) : UNREACHED;
      const branches = list.op[opener] === OP.loop ? UNREACHED : (this.#atLabel.get(opener) ?? UNREACHED);
      this.#balance = Math.min(this.#balance, other, branches);
    } else {
      this.#leave(op, index);
    }
  }

  #leave(op: number, index: number): void {
    const list = this.#list;
    const labels = (): number[] => {
      const start = list.arg[index] as number;
      return list.labels.slice(start + 1, start + 1 + (list.labels[start] as number));
    };
    if (op === OP.tryTable) for (const label of labels()) this.#reach(label, 0);
    if (op === OP.br || op === OP.brIf) this.#reach(list.target[index] as number, this.#balance);
    if (op === OP.brTable) for (const label of labels()) this.#reach(label, this.#balance);
    if (ENDS.has(op)) this.#balance = UNREACHED;
  }

  #reach(label: number, balance: number): void {
    this.#atLabel.set(label, Math.min(this.#atLabel.get(label) ?? UNREACHED, balance));
  }
}

const ENDS: ReadonlySet<number> = new Set([
  OP.br,
  OP.brTable,
  OP.return,
  OP.unreachable,
  OP.throw,
  OP.rethrow,
  OP.throwRef,
  OP.returnCall,
  OP.returnCallIndirect,
]);
