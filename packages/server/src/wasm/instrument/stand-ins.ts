import { OP } from '../binary/opcodes.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { RESERVED } from '../instrumented.ts';
import type { Additions } from './additions.ts';
import { createBody } from './code-writer.ts';
import { IMPORT_FUEL } from './cost-model.ts';
import type { Prepaid } from './plan-charges.ts';
import type { RuntimeParts } from './runtime-functions.ts';

/**
 * Functions of ours that stand in for others where nobody has paid for a call.
 *
 * For what the host calls: they pay for a function that expects to be paid for, and check afterwards, so that no result comes
 * out of a guest that owes fuel. For imports that are called through a reference: they pay the price of an import.
 *
 *   fuel = fuel - price; call the function with all parameters; if (fuel < 0) refuel
 */
export class StandIns {
  readonly #module: DecodedModule;
  readonly #additions: Additions;
  readonly #parts: RuntimeParts;
  readonly #prepaid: Prepaid;
  readonly #known = new Map<number, number>();

  constructor(module: DecodedModule, additions: Additions, parts: RuntimeParts, prepaid: Prepaid) {
    this.#module = module;
    this.#additions = additions;
    this.#parts = parts;
    this.#prepaid = prepaid;
  }

  /** For all exports, the start function, which becomes one, and imports in `referenced`. */
  addAll(referenced: ReadonlySet<number>): void {
    for (const { kind, index } of this.#module.exports) if (kind === 0) this.exported(index);
    const { start } = this.#module;
    if (start !== undefined) this.#additions.addExport(RESERVED.start, 0, this.exported(start));
    for (const index of referenced) this.referenced(index);
  }

  /** Index, in the rewritten module, of what is exported for a function of the original. */
  exported(index: number): number {
    return this.#standIn(index);
  }

  /** The same for what tables and references hold: functions of the guest's own pay for themselves when they are there. */
  referenced(index: number): number {
    return index < this.#module.importedFunctions ? this.#standIn(index) : this.#additions.moved(index);
  }

  #standIn(index: number): number {
    const known = this.#known.get(index) ?? this.#add(index);
    this.#known.set(index, known);
    return known;
  }

  #add(index: number): number {
    const type = this.#module.types[this.#module.functionTypes[index] ?? 0] ?? { params: [], results: [] };
    const { fuel, refuel } = this.#parts;
    const body = createBody();
    const price = index < this.#module.importedFunctions ? IMPORT_FUEL : (this.#prepaid[index] as number);
    if (price > 0) body.at(OP.globalGet, fuel).i32(price).op(OP.i32Sub).at(OP.globalSet, fuel);
    type.params.forEach((_, parameter) => body.at(OP.localGet, parameter));
    body.at(OP.call, this.#additions.moved(index));
    body.at(OP.globalGet, fuel).i32(0).op(OP.i32LtS).open(OP.if).at(OP.call, refuel).end();
    return this.#additions.addFunction(type, body.end());
  }
}
