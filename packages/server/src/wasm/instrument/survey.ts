import { OP } from '../binary/opcodes.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import type { Instructions } from '../decode/instructions.ts';
import { LIMIT } from './cost-model.ts';

/** What the code of a module does, as far as the passes need to know it before they write. */
export interface Survey {
  /** Tables whose elements code changes. */
  readonly changedTables: ReadonlySet<number>;
  readonly grownTables: ReadonlySet<number>;
  readonly dropsSegments: boolean;
  /** Some function catches exceptions. */
  readonly catches: boolean;
  /** Small functions without loops that call nothing but functions of the module, with those. */
  readonly small: ReadonlyMap<number, readonly number[]>;
  /** Functions that can be called through a reference. */
  readonly referenced: ReadonlySet<number>;
  /** Those that code takes a reference to. */
  readonly mentioned: ReadonlySet<number>;
}

/** Collects the survey while the module is decoded. */
export class Surveyor {
  readonly changedTables = new Set<number>();
  readonly grownTables = new Set<number>();
  readonly mentioned = new Set<number>();
  readonly small = new Map<number, readonly number[]>();
  dropsSegments = false;
  catches = false;

  visit(list: Instructions, index: number): void {
    if (list.hasHandler) this.catches = true;
    const callees = surveyBody(list, this);
    const bytes = (list.at[list.count] as number) - list.bodyStart;
    if (callees !== undefined && bytes <= LIMIT.prepaidBytes) this.small.set(index, callees);
  }

  finish(module: DecodedModule): Survey {
    const { changedTables, grownTables, mentioned, dropsSegments, catches } = this;
    const referenced = new Set([...referencedByModule(module), ...mentioned]);
    const small = new Map(
      [...this.small].filter(([, callees]) => callees.every((callee) => callee >= module.importedFunctions)),
    );
    return { changedTables, grownTables, mentioned, dropsSegments, catches, referenced, small };
  }
}

/** Functions in element segments and initial values of globals. */
function referencedByModule(module: DecodedModule): Set<number> {
  const referenced = new Set<number>();
  for (const { functions, expressions } of module.elements) {
    for (const index of functions ?? []) referenced.add(index);
    for (const { mentions } of expressions ?? []) for (const { index } of mentions) referenced.add(index);
  }
  for (const { initial } of module.globals) {
    for (const { index } of initial?.mentions ?? []) referenced.add(index);
  }
  return referenced;
}

type Note = (findings: Surveyor, list: Instructions, index: number) => void;

/** By opcode: what to note. */
const NOTES: readonly (Note | undefined)[] = notes([
  [OP.tableSet, (findings, list, index) => findings.changedTables.add(list.arg[index] as number)],
  [OP.tableFill, (findings, list, index) => findings.changedTables.add(list.arg[index] as number)],
  [OP.tableCopy, (findings, list, index) => findings.changedTables.add(list.arg[index] as number)],
  [OP.tableInit, (findings, list, index) => findings.changedTables.add(list.target[index] as number)],
  [OP.tableGrow, (findings, list, index) => findings.grownTables.add(list.arg[index] as number)],
  [OP.refFunc, (findings, list, index) => findings.mentioned.add(list.arg[index] as number)],
  [OP.dataDrop, noteDrop],
  [OP.elemDrop, noteDrop],
]);

/** Instructions that a function must not have when its callers pay for it: they pay by size, throw, or call anything. */
const NOT_SMALL = flags([
  OP.memoryGrow,
  OP.memoryInit,
  OP.memoryCopy,
  OP.memoryFill,
  OP.tableInit,
  OP.tableCopy,
  OP.tableFill,
  OP.tableGrow,
  OP.throw,
  OP.rethrow,
  OP.throwRef,
  OP.callIndirect,
  OP.returnCallIndirect,
]);

function notes(rows: readonly (readonly [number, Note])[]): (Note | undefined)[] {
  const table: (Note | undefined)[] = Array.from({ length: 0x400 }, () => undefined);
  for (const [op, note] of rows) table[op] = note;
  return table;
}

function flags(ops: readonly number[]): Uint8Array {
  const table = new Uint8Array(0x400);
  for (const op of ops) table[op] = 1;
  return table;
}

function noteDrop(findings: Surveyor): void {
  findings.dropsSegments = true;
}

/** Notes what the body does; the functions that it calls when it is small, else nothing. */
function surveyBody(list: Instructions, findings: Surveyor): number[] | undefined {
  let small = !list.hasLoop && !list.hasHandler;
  const callees: number[] = [];
  for (let index = 0; index < list.count; index++) {
    const op = list.op[index] as number;
    NOTES[op]?.(findings, list, index);
    if (NOT_SMALL[op] === 1) small = false;
    if (small && (op === OP.call || op === OP.returnCall)) callees.push(list.arg[index] as number);
  }
  return small ? callees : undefined;
}
