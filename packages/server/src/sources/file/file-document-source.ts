import { dirname, resolve } from 'node:path';
import { Fault, isFault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import type { KubewardenReading } from '../../policy/kubewarden/kubewarden-policy.ts';
import { parsePluginsFile } from '../../policy/parse-plugins-file.ts';
import { parsePoliciesYml } from '../../policy/parse-policies-yml.ts';
import {
  isException,
  parseDocuments,
  type ParsedDocument,
  type PolicyDocument,
  type TextOrigin,
} from '../../policy/parse-policies.ts';
import { programsOf } from '../../policy/programs-of.ts';
import { createFileMemory, type FileMemory } from '../file-memory.ts';
import type { DocumentReading, DocumentSource } from '../source.ts';
import { decodeText } from './decode-text.ts';
import { walkFiles } from './walk-files.ts';
import { createWasiModulesReader, type WasiModulesFile } from './wasi-module-files.ts';
import { watchFiles } from './watch-files.ts';

export type ParseDocuments = (text: string, origin: TextOrigin) => readonly ParsedDocument<PolicyDocument>[];

export interface FileDocuments {
  /** Read recursively; every `.yaml` and `.yml` in them must be a policy. */
  readonly directories: readonly string[];
  readonly files: readonly string[];
  /** Files in the form of `plugins.yaml`. */
  readonly pluginsFiles: readonly string[];
  /** Files in the form `modules: […]`, in the order of their modules. */
  readonly wasiModules?: readonly WasiModulesFile[];
  /** Files in the form of a `policies.yml` of Kubewarden. */
  readonly kubewarden?: KubewardenFiles;
  /** Milliseconds between checks for changes. */
  readonly checkInterval: number;
  /** How a file of `directories` and `files` is read; default: every document in it is a policy, a group or an exception. */
  readonly parse?: ParseDocuments;
  /** Milliseconds since 1970. With it a file that has not changed costs a stat at each reading, without it a read. */
  readonly wall?: () => number;
}

export interface KubewardenFiles {
  readonly files: readonly string[];
  readonly reading: KubewardenReading;
}

/** Policies from files and folders, together with the watch over them and over the module files that they name. */
export function createFileDocumentSource(options: FileDocuments): DocumentSource {
  const { wasiModules = [], kubewarden } = options;
  const kubewardenFiles = kubewarden?.files ?? [];
  /** Module files of the last reading: a rebuilt module is a change like any other. */
  let modules: readonly string[] = [];
  let further: readonly string[] = [];

  const policies = documentMemory(options.parse ?? parseDocuments, options.wall);
  const plugins = documentMemory(parsePluginsFile, options.wall);
  const entries = documentMemory(
    (text, origin) => (kubewarden === undefined ? [] : parsePoliciesYml(text, origin, kubewarden.reading)),
    options.wall,
  );
  const readModules = createWasiModulesReader(options.wall);

  async function read(): Promise<readonly DocumentReading[]> {
    const unreadable: DocumentReading[] = [];
    const files: string[] = [];
    for (const directory of options.directories) {
      const found = await listDirectory(directory);
      if (isFault(found)) unreadable.push({ container: directory, result: found });
      else files.push(...found);
    }
    const listed = await readModules(wasiModules);
    further = listed.further;
    const readings = [
      ...unreadable,
      ...(await readDocuments([...files, ...options.files], policies)),
      ...(await readDocuments(options.pluginsFiles, plugins)),
      ...(await readDocuments(kubewardenFiles, entries)),
      ...listed.readings,
    ];
    modules = moduleFiles(readings);
    return readings;
  }

  return {
    name: 'file',
    read,
    watch: (changed) =>
      watchFiles({
        directories: options.directories,
        interval: options.checkInterval,
        changed,
        files: async () => [
          ...(await Promise.all(options.directories.map(documentFiles))).flat(),
          ...options.files,
          ...options.pluginsFiles,
          ...kubewardenFiles,
          ...wasiModules.map(({ file }) => file),
          ...further,
          ...modules,
        ],
      }),
  };
}

async function documentFiles(directory: string): Promise<readonly string[]> {
  return (await walkFiles(directory)).filter((file) => /\.ya?ml$/.test(file));
}

async function listDirectory(directory: string): Promise<readonly string[] | Fault> {
  return attempt('PC_MODULE_MISSING', `cannot read the policy folder \`${directory}\``, () =>
    documentFiles(directory),
  );
}

type Documents = readonly DocumentReading[];
function documentMemory(parse: ParseDocuments, wall: FileDocuments['wall']): FileMemory<Documents> {
  return createFileMemory({
    ...(wall === undefined ? {} : { wall }),
    code: 'PC_MODULE_MISSING',
    what: 'cannot read the policy file',
    parse: (file, bytes) => readingsOf(file, bytes, parse),
  });
}

async function readDocuments(files: readonly string[], memory: FileMemory<Documents>): Promise<Documents> {
  const read = await memory.read(files);
  return read.flatMap(({ path, answer }) =>
    isFault(answer) ? [{ container: path, result: answer }] : answer,
  );
}

function readingsOf(file: string, bytes: Uint8Array, parse: ParseDocuments): Documents {
  const text = decodeText(bytes);
  if (text === undefined) {
    return [{ container: file, result: new Fault('PC_POLICY_SYNTAX', `${file}: not valid UTF-8`) }];
  }
  const origin = { source: 'file', location: file, directory: dirname(resolve(file)) };
  return parse(text, origin).map((document) => ({ container: file, ...document }));
}

/** Each file once, however many policies name it. */
function moduleFiles(readings: Documents): readonly string[] {
  const files = new Set<string>();
  for (const { result } of readings) {
    if (isFault(result) || isException(result)) continue;
    const { directory } = result.origin;
    for (const { spec } of programsOf(result)) {
      const { file } = spec.module;
      if (file !== undefined && directory !== undefined) files.add(resolve(directory, file));
    }
  }
  return [...files];
}
