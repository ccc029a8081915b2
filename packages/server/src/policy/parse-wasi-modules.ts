import { basename } from 'node:path';
import type { GateName } from '@portcullis/contract';
import type { z } from 'zod';
import { isFault, type Fault } from '../kernel/fault.ts';
import { checkDocument, type DocumentPlace } from './document/document-problems.ts';
import { readSourceDocuments, type DocumentPath, type SourceDocument } from './document/source-document.ts';
import { noDocument, type ParsedDocument, type TextOrigin } from './parse-policies.ts';
import {
  admissionConfiguration,
  admissionModule,
  authenticationModule,
  authorizationModule,
  modulesFile,
  wasmPlugin,
} from './wasi/wasi-modules-schema.ts';
import {
  placed,
  toAdmission,
  toAuthentication,
  toAuthorization,
  type WasiPolicy,
} from './wasi/wasi-policy.ts';

export type WasiModulesGate = Extract<GateName, 'admission' | 'authentication' | 'authorization'>;

/** What a configuration file of WASI modules says. */
export interface WasiModules {
  readonly documents: readonly ParsedDocument[];
  /** Another file that has the modules: an AdmissionConfiguration may name one. Relative to the folder of this one. */
  readonly file?: string;
}

/** Orders are 10, 20, …: room between them for policies of other files. */
const ORDER_STEP = 10;

type Read = (
  value: unknown,
  place: DocumentPlace,
) => (WasiPolicy & { readonly name?: string | undefined }) | Fault;

/** One row for each gate: how an entry of its file is read. */
const READERS: Readonly<Record<WasiModulesGate, Read>> = {
  admission: reader(admissionModule, toAdmission),
  authentication: reader(authenticationModule, toAuthentication),
  authorization: reader(authorizationModule, toAuthorization),
};

function reader<S extends z.ZodType<{ readonly name?: string; readonly module: string }>>(
  schema: S,
  convert: (module: z.output<S>) => WasiPolicy,
): Read {
  return (value, place) => {
    const module = checkDocument(schema, withoutNulls(value), place);
    if (isFault(module)) return module;
    return { ...convert(module), name: module.name || basename(module.module) };
  };
}

/** Keys without a value are not there, as for the reference host; what is in the settings is the module's own. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member === null) continue;
    entries.push([key, key === 'rules' && Array.isArray(member) ? member.map(withoutNulls) : member]);
  }
  return Object.fromEntries(entries);
}

/**
 * The modules of a file in the form `modules: […]`, in YAML or JSON, as policies of one gate; for admission also an
 * AdmissionConfiguration with a plugin `WASM`. A broken entry is a fault as of `parsePolicies` and does not take the others down.
 * Never throws.
 */
export function parseWasiModules(text: string, origin: TextOrigin, gate: WasiModulesGate): WasiModules {
  const [source] = readSourceDocuments(text, origin.location);
  if (source === undefined) return { documents: [{ result: noDocument(origin) }] };
  const { value } = source;
  if (isFault(value)) return { documents: [{ result: value }] };
  const isConfiguration = gate === 'admission' && source.textAt(['kind']) === 'AdmissionConfiguration';
  const list = isConfiguration ? listInConfiguration(source, origin) : listIn(value, source, origin, []);
  if (isFault(list)) return { documents: [{ result: list }] };
  if ('file' in list) return { documents: [], file: list.file };
  return { documents: distinct(list.entries.map((entry, index) => read(entry, index, list.path))) };

  function read(entry: unknown, index: number, under: DocumentPath): ParsedDocument {
    const path = [...under, index];
    const { location } = origin;
    const { positionOf, textAt } = source as SourceDocument;
    const module = READERS[gate](entry, { location, positionOf, path });
    if (isFault(module)) {
      const name = textAt([...path, 'name']);
      return name ? { result: module, name } : { result: module };
    }
    const { name = '', warnings } = module;
    const { line } = positionOf(path);
    return {
      result: placed(module, name, (index + 1) * ORDER_STEP, { ...origin, line }),
      ...(warnings.length === 0
        ? {}
        : { warnings: warnings.map((warning) => `module \`${name}\`: ${warning}`) }),
    };
  }
}

interface List {
  readonly entries: readonly unknown[];
  readonly path: DocumentPath;
}

function listIn(
  value: unknown,
  { positionOf }: SourceDocument,
  { location }: TextOrigin,
  path: DocumentPath,
): List | Fault {
  const file = checkDocument(modulesFile, value, { location, positionOf, path });
  return isFault(file) ? file : { entries: file.modules ?? [], path: [...path, 'modules'] };
}

function listInConfiguration(
  source: SourceDocument,
  origin: TextOrigin,
): List | { readonly file: string } | Fault {
  const place = { location: origin.location, positionOf: source.positionOf };
  const configuration = checkDocument(admissionConfiguration, source.value, place);
  if (isFault(configuration)) return configuration;
  const index = configuration.plugins.findIndex(({ name }) => name === 'WASM');
  if (index < 0) return { entries: [], path: [] };
  const path = ['plugins', index];
  const plugin = checkDocument(wasmPlugin, configuration.plugins[index], { ...place, path });
  if (isFault(plugin)) return plugin;
  if (plugin.path) return { file: plugin.path };
  return listIn(plugin.configuration, source, origin, [...path, 'configuration']);
}

/** A module may stand in a file twice, with other settings; policies have names of their own. */
function distinct(documents: readonly ParsedDocument[]): readonly ParsedDocument[] {
  const names = new Set<string>();
  return documents.map((document) => {
    const { result, warnings = [] } = document;
    if (isFault(result)) return document;
    const { name } = result.metadata;
    if (!names.has(name)) {
      names.add(name);
      return document;
    }
    const free = unusedName(name, names);
    names.add(free);
    return {
      result: { ...result, metadata: { ...result.metadata, name: free } },
      warnings: [...warnings, `module \`${name}\` stands more than once, this one is \`${free}\``],
    };
  });
}

function unusedName(name: string, used: ReadonlySet<string>): string {
  for (let count = 2; ; count++) if (!used.has(`${name}-${count}`)) return `${name}-${count}`;
}
