import { OP } from '../binary/opcodes.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { RESERVED } from '../instrumented.ts';
import type { Additions } from './additions.ts';
import { createBody } from './code-writer.ts';
import type { Prepaid } from './plan-charges.ts';
import type { RuntimeParts } from './runtime-functions.ts';

/**
 * What the host calls is a function of ours around each exported one: it pays for a function that expects to be paid for,
 * and checks afterwards, so that no result comes out of a guest that owes fuel.
 *
 *   fuel = fuel - prepaid; call the function with all parameters; if (fuel < 0) refuel
 */
export class GuestExports {
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

  /** Index, in the rewritten module, of what stands in for a function of the original. */
  entry(index: number): number {
    if (index < this.#module.importedFunctions) return index;
    const known = this.#known.get(index) ?? this.#add(index);
    this.#known.set(index, known);
    return known;
  }

  /** For all exports and the start function, which becomes one. */
  addAll(): void {
    for (const { kind, index } of this.#module.exports) if (kind === 0) this.entry(index);
    const { start } = this.#module;
    if (start !== undefined) this.#additions.addExport(RESERVED.start, 0, this.entry(start));
  }

  #add(index: number): number {
    const type = this.#module.types[this.#module.functionTypes[index] ?? 0] ?? { params: [], results: [] };
    const { fuel, refuel } = this.#parts;
    const body = createBody();
    const owed = this.#prepaid[index] as number;
    if (owed > 0) body.at(OP.globalGet, fuel).i32(owed).op(OP.i32Sub).at(OP.globalSet, fuel);
    type.params.forEach((_, parameter) => body.at(OP.localGet, parameter));
    body.at(OP.call, this.#additions.moved(index));
    body.at(OP.globalGet, fuel).i32(0).op(OP.i32LtS).open(OP.if).at(OP.call, refuel).end();
    return this.#additions.addFunction(type, body.end());
  }
}
