import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Fault, isFault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import { parsePluginsFile } from '../../policy/parse-plugins-file.ts';
import { parsePolicies, type ParsedDocument } from '../../policy/parse-policies.ts';
import type { DocumentReading, DocumentSource } from '../source.ts';
import { walkFiles } from './walk-files.ts';
import { watchFiles } from './watch-files.ts';

export interface FileDocuments {
  /** Read recursively; every `.yaml` and `.yml` in them must be a policy. */
  readonly directories: readonly string[];
  readonly files: readonly string[];
  /** Files in the form of `plugins.yaml`. */
  readonly pluginsFiles: readonly string[];
  /** Milliseconds between checks for changes. */
  readonly checkInterval: number;
}

/** Policies from files and folders, together with the watch over them and over the module files that they name. */
export function createFileDocumentSource(options: FileDocuments): DocumentSource {
  /** Module files of the last reading: a rebuilt module is a change like any other. */
  let modules: readonly string[] = [];

  async function read(): Promise<readonly DocumentReading[]> {
    const readings: DocumentReading[] = [];
    for (const directory of options.directories) readings.push(...(await readDirectory(directory)));
    for (const file of options.files) readings.push(...(await readDocuments(file, parsePolicies)));
    for (const file of options.pluginsFiles) readings.push(...(await readDocuments(file, parsePluginsFile)));
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
          ...modules,
        ],
      }),
  };
}

async function documentFiles(directory: string): Promise<readonly string[]> {
  return (await walkFiles(directory)).filter((file) => /\.ya?ml$/.test(file));
}

async function readDirectory(directory: string): Promise<readonly DocumentReading[]> {
  const files = await attempt('PC_MODULE_MISSING', `cannot read the policy folder \`${directory}\``, () =>
    documentFiles(directory),
  );
  if (isFault(files)) return [{ container: directory, result: files }];
  return (await Promise.all(files.map((file) => readDocuments(file, parsePolicies)))).flat();
}

type Parse = typeof parsePolicies;

async function readDocuments(file: string, parse: Parse): Promise<readonly DocumentReading[]> {
  const bytes = await attempt('PC_MODULE_MISSING', `cannot read the policy file \`${file}\``, () =>
    readFile(file),
  );
  if (isFault(bytes)) return [{ container: file, result: bytes }];
  const text = decode(bytes);
  if (text === undefined) {
    return [{ container: file, result: new Fault('PC_POLICY_SYNTAX', `${file}: not valid UTF-8`) }];
  }
  const origin = { source: 'file', location: file, directory: dirname(resolve(file)) };
  return parse(text, origin).map((document: ParsedDocument) => ({ container: file, ...document }));
}

function moduleFiles(readings: readonly DocumentReading[]): readonly string[] {
  return readings.flatMap(({ result }) =>
    isFault(result) || result.spec.module.file === undefined || result.origin.directory === undefined
      ? []
      : [resolve(result.origin.directory, result.spec.module.file)],
  );
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
