import { sha256 } from '../../kernel/digest.ts';
import { Fault, isFault } from '../../kernel/fault.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { EXTERN_KINDS, PREAMBLE, SECTION, SECTION_ORDER } from '../binary/sections.ts';
import { valueTypeName } from '../binary/value-types.ts';
import type { FunctionType, ModuleInfo } from '../module-info.ts';
import { CompileWork } from './compile-work.ts';
import { i32Of } from './const-expression.ts';
import { decodeBody } from './decode-body.ts';
import { READ_SECTION, type ModuleParts } from './decode-sections.ts';
import type { TypeCodes } from './decode-types.ts';
import type { DecodedGlobal, DecodedModule, SectionRange } from './decoded-module.ts';
import { createInstructions, type Instructions } from './instructions.ts';

/**
 * Takes a module apart and walks every instruction, so that what it returns uses only what a policy may use. The types of
 * operands are not checked here: `WebAssembly.validate` does.
 *
 * Faults: PC_MODULE_MALFORMED with the byte offset; PC_MODULE_FEATURE with the feature and the offset.
 */
export function decodeModule(bytes: Uint8Array): DecodedModule | Fault {
  return decodeAndVisit(bytes, () => {});
}

/** Sees each body on the way; `list` is good until the next one. */
export type VisitBody = (list: Instructions, functionIndex: number) => void;

/** As `decodeModule`, showing every body to `visit`. */
export function decodeAndVisit(bytes: Uint8Array, visit: VisitBody): DecodedModule | Fault {
  try {
    return decode(bytes, visit);
  } catch (error) {
    return isFault(error) ? error : Fault.from(error);
  }
}

/** They are listed, and the list goes to every thread. */
const MAX_CUSTOM_SECTIONS = 10_000;

function decode(bytes: Uint8Array, visit: VisitBody): DecodedModule {
  const reader = new ByteReader(bytes);
  readPreamble(reader);
  const parts: ModuleParts = {
    features: new Set(),
    types: [],
    imports: [],
    functionTypes: [],
    importedFunctions: 0,
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    tagTypes: [],
    start: undefined,
    elements: [],
    bodies: [],
  };
  const sections: SectionRange[] = [];
  const customSections: { name: string; byteLength: number }[] = [];
  let position = -1;
  while (!reader.done) {
    const at = reader.at;
    const id = reader.byte();
    const size = reader.u32();
    const start = reader.at;
    reader.skip(size);
    const content = new ByteReader(bytes, start, reader.at);
    if (id === SECTION.custom) {
      if (customSections.length === MAX_CUSTOM_SECTIONS) {
        reader.fail(`more than ${MAX_CUSTOM_SECTIONS} custom sections`, at);
      }
      const name = content.name();
      customSections.push({ name, byteLength: content.end - content.at });
      continue;
    }
    const next = SECTION_ORDER.indexOf(id);
    if (next < 0) reader.fail(`unknown section ${id}`, at);
    if (next <= position) reader.fail(`section ${id} is out of order or comes twice`, at);
    position = next;
    READ_SECTION[id]?.(content, parts);
    if (!content.done) content.fail(`bytes after the end of section ${id}`);
    sections.push({ id, start, end: reader.at });
  }
  walkBodies(reader, parts, visit);
  const { memories, start, ...rest } = parts;
  const memory = memories[0]?.limits;
  return {
    ...rest,
    bytes,
    info: describe(bytes, parts, customSections),
    sections,
    ...(memory === undefined ? {} : { memory }),
    ...(start === undefined ? {} : { start }),
  };
}

/** Bytes 4 to 7 hold the version; a component has the same magic and another layer number. */
function readPreamble(reader: ByteReader): void {
  for (let at = 0; at < 4; at++)
    if (reader.byte() !== PREAMBLE[at]) reader.fail('this is not WebAssembly', 0);
  const version = [reader.byte(), reader.byte(), reader.byte(), reader.byte()];
  if (version[2] === 1) reader.refuse('the component model', 4);
  if (version.some((byte, at) => byte !== PREAMBLE[4 + at])) reader.fail('unknown version of WebAssembly', 4);
}

function walkBodies(reader: ByteReader, parts: ModuleParts, visit: VisitBody): void {
  const declared = parts.functionTypes.length - parts.importedFunctions;
  if (parts.bodies.length !== declared) reader.fail(`no code for ${declared} functions`);
  const list = createInstructions();
  const work = new CompileWork(parts);
  parts.bodies.forEach((body, index) => {
    decodeBody(reader.bytes, body, list, parts.features);
    work.add(reader, list, parts.importedFunctions + index);
    visit(list, parts.importedFunctions + index);
  });
}

function describe(
  bytes: Uint8Array,
  parts: ModuleParts,
  customSections: ModuleInfo['customSections'],
): ModuleInfo {
  const memory = parts.memories[0];
  return {
    digest: sha256(bytes),
    byteLength: bytes.length,
    imports: parts.imports.map(({ module, name, kind, typeIndex }) => ({
      module,
      name,
      kind: EXTERN_KINDS[kind] ?? 'function',
      ...(kind === 0 ? { type: namedType(parts.types[typeIndex]) } : {}),
    })),
    exports: parts.exports.map(({ name, kind, index }) => ({
      name,
      kind: EXTERN_KINDS[kind] ?? 'function',
      ...(kind === 0 ? { type: namedType(parts.types[parts.functionTypes[index] ?? 0]) } : {}),
      ...(EXTERN_KINDS[kind] === 'global' ? constantOf(parts.globals[index], bytes) : {}),
    })),
    ...(memory === undefined
      ? {}
      : {
          memory: {
            initialPages: memory.limits.minimum,
            ...(memory.limits.maximum === undefined ? {} : { maximumPages: memory.limits.maximum }),
            imported: memory.imported,
          },
        }),
    tables: parts.tables.map((table) => table.limits.minimum),
    functions: parts.functionTypes.length,
    hasStart: parts.start !== undefined,
    customSections,
    features: [...parts.features].sort(),
  };
}

function constantOf(global: DecodedGlobal | undefined, bytes: Uint8Array): { readonly value?: number } {
  if (global?.initial === undefined || global.mutable) return {};
  const value = i32Of(global.initial, bytes);
  return value === undefined ? {} : { value };
}

function namedType(type: TypeCodes | undefined): FunctionType {
  const names = (codes: readonly number[] = []): string[] =>
    codes.map((code) => valueTypeName(code) ?? 'unknown');
  return { params: names(type?.params), results: names(type?.results) };
}
