import type { ByteReader } from '../binary/byte-reader.ts';
import { EXTERN_KINDS, SECTION } from '../binary/sections.ts';
import { VALUE_TYPE } from '../binary/value-types.ts';
import { readConstExpression, type ConstExpression } from './const-expression.ts';
import {
  readFunctionType,
  readMemoryLimits,
  readReferenceType,
  readTableLimits,
  readValueType,
  type Limits,
  type TypeCodes,
} from './decode-types.ts';
import type {
  ByteRange,
  DecodedElements,
  DecodedExport,
  DecodedGlobal,
  DecodedImport,
  DecodedTable,
} from './decoded-module.ts';

/**
 * Claims above these are refused. An instance is made in one go, and nobody has paid for it: what it costs for each import,
 * export, table and element must be little, so these are far below V8's own limits and far above what real modules have.
 */
const CAP = {
  types: 100_000,
  functions: 100_000,
  imports: 1000,
  exports: 10_000,
  tables: 32,
  globals: 100_000,
  segments: 100_000,
  /** In all element segments together. */
  elements: 200_000,
  data: 100_000,
};

/** V8 takes 7 MiB, which it would compile in one go while everything waits. */
const MAX_BODY = 2 << 20;

/** What the sections say, while they are read. */
export interface ModuleParts {
  readonly features: Set<string>;
  readonly types: TypeCodes[];
  readonly imports: DecodedImport[];
  readonly functionTypes: number[];
  importedFunctions: number;
  readonly tables: DecodedTable[];
  readonly memories: { readonly limits: Limits; readonly imported: boolean }[];
  readonly globals: DecodedGlobal[];
  readonly exports: DecodedExport[];
  /** Type index of every tag, imported ones first. */
  readonly tagTypes: number[];
  start: number | undefined;
  readonly elements: DecodedElements[];
  readonly bodies: ByteRange[];
}

type ReadSection = (reader: ByteReader, parts: ModuleParts) => void;

/** One reader per section id. Data and tags are only walked: the rewrite copies them. */
export const READ_SECTION: Readonly<Record<number, ReadSection>> = {
  [SECTION.type]: readTypeSection,
  [SECTION.import]: readImports,
  [SECTION.function]: readFunctions,
  [SECTION.table]: readTables,
  [SECTION.memory]: readMemories,
  [SECTION.tag]: readTags,
  [SECTION.global]: readGlobals,
  [SECTION.export]: readExports,
  [SECTION.start]: (reader, parts) => {
    parts.start = functionIndex(reader, parts);
  },
  [SECTION.element]: readElements,
  [SECTION.dataCount]: (reader) => void reader.u32(),
  [SECTION.code]: readCode,
  [SECTION.data]: readData,
};

function readTypeSection(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('types', CAP.types); left > 0; left--) {
    parts.types.push(readFunctionType(reader, parts.features));
  }
}

function typeIndex(reader: ByteReader, parts: ModuleParts): number {
  const at = reader.at;
  const index = reader.u32();
  if (index >= parts.types.length) reader.fail(`type ${index} does not exist`, at);
  return index;
}

function functionIndex(reader: ByteReader, parts: ModuleParts): number {
  const at = reader.at;
  const index = reader.u32();
  if (index >= parts.functionTypes.length) reader.fail(`function ${index} does not exist`, at);
  return index;
}

function readImports(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('imports', CAP.imports); left > 0; left--) {
    const start = reader.at;
    const module = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    const index = readImportDescription(reader, parts, kind);
    parts.imports.push({ module, name, kind, typeIndex: index, range: { start, end: reader.at } });
  }
}

function readImportDescription(reader: ByteReader, parts: ModuleParts, kind: number): number {
  switch (EXTERN_KINDS[kind]) {
    case 'function': {
      const index = typeIndex(reader, parts);
      parts.functionTypes.push(index);
      parts.importedFunctions++;
      return index;
    }
    case 'table':
      parts.tables.push(readTableType(reader, parts));
      return -1;
    case 'memory':
      parts.memories.push({ limits: readMemoryLimits(reader), imported: true });
      return -1;
    case 'global':
      parts.globals.push(readGlobalType(reader, parts));
      return -1;
    case 'tag':
      return readTag(reader, parts);
    default:
      return reader.fail('unknown kind of import', reader.at - 1);
  }
}

function readFunctions(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('functions', CAP.functions); left > 0; left--) {
    parts.functionTypes.push(typeIndex(reader, parts));
  }
}

function readTableType(reader: ByteReader, parts: ModuleParts): DecodedTable {
  const features = new Set<string>();
  const type = readReferenceType(reader, features);
  if (type !== VALUE_TYPE.funcref) for (const feature of features) parts.features.add(feature);
  return { type, limits: readTableLimits(reader) };
}

function readTables(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('tables', CAP.tables); left > 0; left--) {
    if (reader.bytes[reader.at] === 0x40) {
      reader.refuse('typed function references (tables with an initial value)');
    }
    parts.tables.push(readTableType(reader, parts));
  }
  if (parts.tables.length > 1) parts.features.add('reference-types');
}

function readMemories(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('memories', 1000); left > 0; left--) {
    const at = reader.at;
    parts.memories.push({ limits: readMemoryLimits(reader), imported: false });
    if (parts.memories.length > 1) reader.refuse('more than one memory', at);
  }
}

function readTag(reader: ByteReader, parts: ModuleParts): number {
  parts.features.add('exceptions');
  if (reader.byte() !== 0) reader.fail('unknown attribute of a tag', reader.at - 1);
  const index = typeIndex(reader, parts);
  parts.tagTypes.push(index);
  return index;
}

function readTags(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('tags', 1_000_000); left > 0; left--) readTag(reader, parts);
}

function readGlobalType(reader: ByteReader, parts: ModuleParts): DecodedGlobal {
  const type = readValueType(reader, parts.features);
  const flags = reader.byte();
  if (flags & 0x02) reader.refuse('threads (shared globals)', reader.at - 1);
  if (flags > 1) reader.fail('unknown flags of a global', reader.at - 1);
  return { type, mutable: flags === 1 };
}

function readGlobals(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('globals', CAP.globals); left > 0; left--) {
    const declared = readGlobalType(reader, parts);
    parts.globals.push({ ...declared, initial: readConstExpression(reader, parts.features) });
  }
}

function readExports(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('exports', CAP.exports); left > 0; left--) {
    const name = reader.name();
    const at = reader.at;
    const kind = reader.byte();
    if (EXTERN_KINDS[kind] === undefined) reader.fail('unknown kind of export', at);
    const index = kind === 0 ? functionIndex(reader, parts) : reader.u32();
    if (EXTERN_KINDS[kind] === 'global' && parts.globals[index]?.mutable)
      parts.features.add('mutable-globals');
    parts.exports.push({ name, kind, index });
  }
}

/**
 *   flags  bit 0: not active, bit 1: table index (active) or declared only (not active), bit 2: expressions
 *   0  offset                    functions      4  offset                 expressions
 *   1                 kind       functions      5                 type    expressions   (passive)
 *   2  table offset   kind       functions      6  table offset   type    expressions
 *   3                 kind       functions      7                 type    expressions   (declared)
 */
function readElements(reader: ByteReader, parts: ModuleParts): void {
  let room = CAP.elements;
  for (let left = reader.count('element segments', CAP.segments); left > 0; left--) {
    const start = reader.at;
    const flags = reader.u32();
    if (flags > 7) reader.fail('unknown flags of an element segment', start);
    const active = (flags & 1) === 0;
    if (flags !== 0) parts.features.add(flags === 2 ? 'reference-types' : 'bulk-memory');
    if (active && (flags & 2) !== 0) reader.u32();
    if (active) readConstExpression(reader, parts.features);
    if ((flags & 3) !== 0) readElementType(reader, parts, (flags & 4) !== 0);
    const head = { start, end: reader.at };
    const count = reader.count('elements', room);
    room -= count;
    if ((flags & 4) === 0) {
      parts.elements.push({ head, functions: readMany(count, () => functionIndex(reader, parts)) });
    } else {
      const expressions: ConstExpression[] = readMany(count, () =>
        readConstExpression(reader, parts.features),
      );
      parts.elements.push({ head, expressions });
    }
  }
}

function readElementType(reader: ByteReader, parts: ModuleParts, expressions: boolean): void {
  if (expressions) {
    readReferenceType(reader, parts.features);
  } else if (reader.byte() !== 0) {
    reader.fail('unknown kind of elements', reader.at - 1);
  }
}

function readMany<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let left = count; left > 0; left--) items.push(read());
  return items;
}

function readCode(reader: ByteReader, parts: ModuleParts): void {
  const at = reader.at;
  const count = reader.count('function bodies', CAP.functions);
  const declared = parts.functionTypes.length - parts.importedFunctions;
  if (count !== declared) reader.fail(`${count} function bodies for ${declared} functions`, at);
  for (let left = count; left > 0; left--) {
    const size = reader.u32();
    const start = reader.at;
    if (size > MAX_BODY) reader.refuse(`a function of more than ${MAX_BODY} bytes`, start);
    reader.skip(size);
    parts.bodies.push({ start, end: reader.at });
  }
}

function readData(reader: ByteReader, parts: ModuleParts): void {
  for (let left = reader.count('data segments', CAP.data); left > 0; left--) {
    const at = reader.at;
    const flags = reader.u32();
    if (flags > 2) reader.fail('unknown flags of a data segment', at);
    if (flags === 2 && reader.u32() !== 0) reader.refuse('more than one memory', at);
    if (flags === 1) parts.features.add('bulk-memory');
    else readConstExpression(reader, parts.features);
    reader.skip(reader.u32());
  }
}
