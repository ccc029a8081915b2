import { OP } from '../binary/opcodes.ts';
import { decodeBody } from '../decode/decode-body.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { createInstructions, type Instructions } from '../decode/instructions.ts';
import { LIMIT } from './cost-model.ts';

/** What the code of a module does, as far as the passes need to know it before they write. */
export interface Survey {
  /** Tables whose elements code changes. */
  readonly changedTables: ReadonlySet<number>;
  readonly grownTables: ReadonlySet<number>;
  readonly dropsSegments: boolean;
  /** Small functions without loops that call nothing but functions of the module, with those. */
  readonly small: ReadonlyMap<number, readonly number[]>;
  /** Functions that can be called through a reference. */
  readonly referenced: ReadonlySet<number>;
  /** Those that code takes a reference to. */
  readonly mentioned: ReadonlySet<number>;
}

interface Findings {
  readonly changedTables: Set<number>;
  readonly grownTables: Set<number>;
  readonly referenced: Set<number>;
  readonly mentioned: Set<number>;
  dropsSegments: boolean;
}

export function surveyModule(module: DecodedModule): Survey {
  const small = new Map<number, readonly number[]>();
  const findings: Findings = {
    changedTables: new Set(),
    grownTables: new Set(),
    referenced: referencedByModule(module),
    mentioned: new Set(),
    dropsSegments: false,
  };
  const list = createInstructions();
  const features = new Set<string>();
  module.bodies.forEach((body, index) => {
    decodeBody(module.bytes, body, list, features);
    const callees = surveyBody(list, findings, module.importedFunctions);
    if (callees !== undefined && body.end - body.start <= LIMIT.prepaidBytes) {
      small.set(module.importedFunctions + index, callees);
    }
  });
  for (const index of findings.mentioned) findings.referenced.add(index);
  return { ...findings, small };
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

type Note = (findings: Findings, list: Instructions, index: number) => void;

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

function noteDrop(findings: Findings): void {
  findings.dropsSegments = true;
}

/** Notes what the body does; the functions that it calls when it is small, else nothing. */
function surveyBody(list: Instructions, findings: Findings, imported: number): number[] | undefined {
  let small = !list.hasLoop && !list.hasHandler;
  const callees: number[] = [];
  for (let index = 0; index < list.count; index++) {
    const op = list.op[index] as number;
    NOTES[op]?.(findings, list, index);
    if (NOT_SMALL[op] === 1) small = false;
    if (op !== OP.call && op !== OP.returnCall) continue;
    const callee = list.arg[index] as number;
    if (callee < imported) small = false;
    else if (small) callees.push(callee);
  }
  return small ? callees : undefined;
}
