import { OP } from '../binary/opcodes.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { RESERVED } from '../instrumented.ts';
import type { Additions } from './additions.ts';
import { createBody } from './code-writer.ts';
import type { RuntimeParts } from './runtime-functions.ts';
import type { Survey } from './survey.ts';

/**
 * A shadow for every mutable global and for every table that code changes, and two functions, not metered, that copy all
 * of them there and back. The number of pages the guest sees counts as a global of the guest's.
 */
export function addShadows(
  module: DecodedModule,
  survey: Survey,
  additions: Additions,
  parts: RuntimeParts,
): void {
  const snapshot = createBody();
  const reset = createBody();
  const shadowGlobal = (index: number, type?: number): void => {
    const shadow = additions.addGlobal(type);
    snapshot.at(OP.globalGet, index).at(OP.globalSet, shadow);
    reset.at(OP.globalGet, shadow).at(OP.globalSet, index);
  };
  module.globals.forEach((global, index) => {
    if (global.mutable) shadowGlobal(index, global.type);
  });
  shadowGlobal(parts.pages);
  const tables = freshReason(module, survey) === undefined ? survey.changedTables : [];
  for (const index of tables) {
    const table = module.tables[index];
    if (table === undefined) continue;
    const size = table.limits.minimum;
    const shadow = additions.addTable(table.type, size);
    snapshot.i32(0).i32(0).i32(size).at(OP.tableCopy, shadow, index);
    reset.i32(0).i32(0).i32(size).at(OP.tableCopy, index, shadow);
  }
  const type = { params: [], results: [] };
  additions.addExport(RESERVED.snapshot, 0, additions.addFunction(type, snapshot.end()));
  additions.addExport(RESERVED.reset, 0, additions.addFunction(type, reset.end()));
}

/** Copying takes 30 ns an element: beyond this a fresh instance is cheaper. */
const MAX_SHADOWED_ELEMENTS = 10_000;

function changedElements(module: DecodedModule, survey: Survey): number {
  let count = 0;
  for (const index of survey.changedTables) count += module.tables[index]?.limits.minimum ?? 0;
  return count;
}

/** Why evaluations cannot share an instance, if they cannot. */
export function freshReason(module: DecodedModule, survey: Survey): string | undefined {
  if (survey.dropsSegments) return 'the code drops data or element segments, which cannot be brought back';
  if (survey.grownTables.size > 0) return 'the code grows a table, which cannot shrink again';
  if (changedElements(module, survey) > MAX_SHADOWED_ELEMENTS) {
    return `the code changes tables of more than ${MAX_SHADOWED_ELEMENTS} elements`;
  }
  return undefined;
}
