import { VALUE_TYPE } from '../binary/value-types.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import type { TypeCodes } from '../decode/decode-types.ts';
import type { CodeWriter } from './code-writer.ts';

export interface AddedGlobal {
  readonly type: number;
  /** Of an i32; others start as zero or null. */
  readonly value: number;
}

export interface AddedFunction {
  readonly typeIndex: number;
  readonly body: CodeWriter;
}

export interface AddedExport {
  readonly name: string;
  readonly kind: 0 | 1 | 2 | 3;
  readonly index: number;
}

/**
 * What the rewrite appends. Types, tables, globals and functions go to the end of their index spaces, so that no index of
 * the guest's moves, but one: the import `refill` must stand before all functions of the guest's own, which move up by one.
 */
export class Additions {
  readonly types: TypeCodes[] = [];
  readonly globals: AddedGlobal[] = [];
  readonly tables: { readonly type: number; readonly size: number }[] = [];
  readonly functions: AddedFunction[] = [];
  readonly exports: AddedExport[] = [];
  readonly #module: DecodedModule;
  readonly #typeIndices = new Map<string, number>();

  constructor(module: DecodedModule) {
    this.#module = module;
    module.types.forEach((type, index) => {
      const key = typeKey(type);
      if (!this.#typeIndices.has(key)) this.#typeIndices.set(key, index);
    });
  }

  /** The index of the imported function `refill`. */
  get refill(): number {
    return this.#module.importedFunctions;
  }

  /** Where a function of the original stands now. */
  moved(functionIndex: number): number {
    return functionIndex < this.#module.importedFunctions ? functionIndex : functionIndex + 1;
  }

  typeIndex(type: TypeCodes): number {
    const key = typeKey(type);
    const known = this.#typeIndices.get(key);
    if (known !== undefined) return known;
    const index = this.#module.types.length + this.types.push(type) - 1;
    this.#typeIndices.set(key, index);
    return index;
  }

  addGlobal(type: number = VALUE_TYPE.i32, value = 0): number {
    return this.#module.globals.length + this.globals.push({ type, value }) - 1;
  }

  addTable(type: number, size: number): number {
    return this.#module.tables.length + this.tables.push({ type, size }) - 1;
  }

  addFunction(type: TypeCodes, body: CodeWriter): number {
    const added = this.functions.push({ typeIndex: this.typeIndex(type), body });
    return this.#module.functionTypes.length + added;
  }

  addExport(name: string, kind: AddedExport['kind'], index: number): void {
    this.exports.push({ name, kind, index });
  }
}

function typeKey(type: TypeCodes): string {
  return `${type.params.join(',')}>${type.results.join(',')}`;
}
