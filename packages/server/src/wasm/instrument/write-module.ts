import { ByteWriter } from '../binary/byte-writer.ts';
import { PREAMBLE, SECTION } from '../binary/sections.ts';
import { VALUE_TYPE, isReferenceType } from '../binary/value-types.ts';
import { OP } from '../binary/opcodes.ts';
import type { ConstExpression } from '../decode/const-expression.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import type { Limits, TypeCodes } from '../decode/decode-types.ts';
import { RESERVED_MODULE } from '../instrumented.ts';
import type { Additions, AddedGlobal } from './additions.ts';
import { CodeWriter } from './code-writer.ts';
import { MAX_PAGES, MAX_TABLE } from './cost-model.ts';
import type { RewrittenBody } from './rewrite-body.ts';
import type { StandIns } from './stand-ins.ts';

/** The guest's code, rewritten. */
export interface RewrittenCode {
  readonly bodies: readonly RewrittenBody[];
  readonly standIns: StandIns;
  /** Functions of the original that code takes references to. */
  readonly mentioned: ReadonlySet<number>;
}

interface Source {
  readonly module: DecodedModule;
  readonly additions: Additions;
  readonly code: RewrittenCode;
  readonly refillType: number;
}

type WriteSection = (out: CodeWriter, source: Source) => void;

/** Sections in their order. The start section is gone and custom ones are left out, but for our branch hints. */
const WRITE: readonly (readonly [number, WriteSection])[] = [
  [SECTION.type, writeTypes],
  [SECTION.import, writeImports],
  [SECTION.function, writeFunctions],
  [SECTION.table, writeTables],
  [SECTION.memory, writeMemory],
  [SECTION.tag, (out, { module }) => copySection(out, module, SECTION.tag)],
  [SECTION.global, writeGlobals],
  [SECTION.export, writeExports],
  [SECTION.element, writeElements],
  [SECTION.dataCount, (out, { module }) => copySection(out, module, SECTION.dataCount)],
  [SECTION.custom, writeHints],
  [SECTION.code, writeCode],
  [SECTION.data, (out, { module }) => copySection(out, module, SECTION.data)],
];

export function writeModule(
  module: DecodedModule,
  additions: Additions,
  code: RewrittenCode,
): Uint8Array<ArrayBuffer> {
  const refillType = additions.typeIndex({ params: [VALUE_TYPE.i32], results: [VALUE_TYPE.i32] });
  const out = new ByteWriter(module.bytes.length * 2);
  out.raw(PREAMBLE);
  for (const [id, write] of WRITE) {
    const content = new CodeWriter();
    write(content, { module, additions, code, refillType });
    if (content.length === 0) continue;
    out.byte(id);
    out.sized(content);
  }
  return out.finish();
}

function copySection(out: CodeWriter, module: DecodedModule, id: number): void {
  const section = module.sections.find((candidate) => candidate.id === id);
  if (section !== undefined) out.copy(module.bytes, section.start, section.end);
}

function writeTypes(out: CodeWriter, { module, additions }: Source): void {
  const types: readonly TypeCodes[] = [...module.types, ...additions.types];
  out.u32(types.length);
  for (const { params, results } of types) {
    out.byte(0x60);
    out.u32(params.length);
    out.raw(params);
    out.u32(results.length);
    out.raw(results);
  }
}

function writeImports(out: CodeWriter, { module, refillType }: Source): void {
  // A memory that was imported is defined instead; it keeps its index, for there is one at most.
  const functions = module.imports.filter(({ kind }) => kind === 0);
  out.u32(functions.length + 1);
  for (const { range } of functions) out.copy(module.bytes, range.start, range.end);
  out.name(RESERVED_MODULE);
  out.name('refill');
  out.byte(0);
  out.u32(refillType);
}

function writeFunctions(out: CodeWriter, { module, additions }: Source): void {
  const own = module.functionTypes.slice(module.importedFunctions);
  out.u32(own.length + additions.functions.length);
  for (const type of own) out.u32(type);
  for (const { typeIndex } of additions.functions) out.u32(typeIndex);
}

function writeLimits(out: CodeWriter, limits: Limits, most: number): void {
  out.byte(1);
  out.u32(limits.minimum);
  out.u32(Math.max(limits.minimum, Math.min(limits.maximum ?? most, most)));
}

function writeTables(out: CodeWriter, { module, additions }: Source): void {
  const count = module.tables.length + additions.tables.length;
  if (count === 0) return;
  out.u32(count);
  for (const { type, limits } of module.tables) {
    out.byte(type);
    writeLimits(out, limits, MAX_TABLE);
  }
  for (const { type, size } of additions.tables) {
    out.byte(type);
    writeLimits(out, { minimum: size, maximum: size }, MAX_TABLE);
  }
}

function writeMemory(out: CodeWriter, { module }: Source): void {
  if (module.memory === undefined) return;
  out.u32(1);
  writeLimits(out, module.memory, MAX_PAGES);
}

function writeGlobals(out: CodeWriter, { module, additions, code }: Source): void {
  out.u32(module.globals.length + additions.globals.length);
  for (const { type, mutable, initial } of module.globals) {
    out.byte(type);
    out.byte(mutable ? 1 : 0);
    if (initial !== undefined) writeExpression(out, initial, module, code);
  }
  for (const global of additions.globals) {
    out.byte(global.type);
    out.byte(1);
    writeInitial(out, global);
    out.end();
  }
}

function writeInitial(out: CodeWriter, { type, value }: AddedGlobal): void {
  if (isReferenceType(type)) {
    out.at(OP.refNull).byte(type);
    return;
  }
  if (type === VALUE_TYPE.i32) out.i32(value);
  else if (type === VALUE_TYPE.i64) out.raw([OP.i64Const, 0]);
  else if (type === VALUE_TYPE.f32) out.raw([OP.f32Const, 0, 0, 0, 0]);
  else if (type === VALUE_TYPE.f64) out.raw([OP.f64Const, 0, 0, 0, 0, 0, 0, 0, 0]);
  else out.op(OP.v128Const).raw(Array.from({ length: 16 }, () => 0));
}

function writeExports(out: CodeWriter, { module, additions, code }: Source): void {
  out.u32(module.exports.length + additions.exports.length);
  for (const { name, kind, index } of module.exports) {
    out.name(name);
    out.byte(kind);
    out.u32(kind === 0 ? code.standIns.exported(index) : index);
  }
  for (const { name, kind, index } of additions.exports) {
    out.name(name);
    out.byte(kind);
    out.u32(index);
  }
}

function writeElements(out: CodeWriter, { module, code }: Source): void {
  const declared = code.mentioned.size > 0 ? 1 : 0;
  if (module.elements.length + declared === 0) return;
  out.u32(module.elements.length + declared);
  for (const { head, functions, expressions } of module.elements) {
    out.copy(module.bytes, head.start, head.end);
    out.u32((functions ?? expressions ?? []).length);
    for (const index of functions ?? []) out.u32(code.standIns.referenced(index));
    for (const expression of expressions ?? []) writeExpression(out, expression, module, code);
  }
  if (declared > 0) writeDeclared(out, code);
}

/**
 * Code may take a reference to a function only if the module names it elsewhere, as an export does. Exports name functions
 * of ours now, so a segment of its own declares what code refers to: flags 3 (declared), kind 0 (functions).
 */
function writeDeclared(out: CodeWriter, { mentioned, standIns }: RewrittenCode): void {
  out.raw([3, 0]);
  out.u32(mentioned.size);
  for (const index of mentioned) out.u32(standIns.referenced(index));
}

/** Copies a constant expression with its function indices moved. */
function writeExpression(
  out: CodeWriter,
  expression: ConstExpression,
  module: DecodedModule,
  code: RewrittenCode,
): void {
  let from = expression.start;
  for (const mention of expression.mentions) {
    out.copy(module.bytes, from, mention.start);
    out.u32(code.standIns.referenced(mention.index));
    from = mention.end;
  }
  out.copy(module.bytes, from, expression.end);
}

/**
 * `metadata.code.branch_hint`, before the code section:
 *   count, { function index, count, { offset from the start of the body, 1 (size), 0 (unlikely) } }
 */
function writeHints(out: CodeWriter, { module, code }: Source): void {
  const first = module.importedFunctions + 1;
  const hinted = code.bodies.filter((body) => body.hints.length > 0).length;
  if (hinted === 0) return;
  out.name('metadata.code.branch_hint');
  out.u32(hinted);
  code.bodies.forEach(({ hints }, index) => {
    if (hints.length === 0) return;
    out.u32(first + index);
    out.u32(hints.length);
    for (const offset of hints) {
      out.u32(offset);
      out.raw([1, 0]);
    }
  });
}

function writeCode(out: CodeWriter, { additions, code }: Source): void {
  out.u32(code.bodies.length + additions.functions.length);
  for (const { out: body } of code.bodies) out.sized(body);
  for (const { body } of additions.functions) out.sized(body);
}
