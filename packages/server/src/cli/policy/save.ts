import { open, rename, rm } from 'node:fs/promises';
import { Command } from 'commander';
import { Fault, isFault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import { saveContent } from '../../oci/layout/copy-content.ts';
import { createLayoutWriter, type LayoutWriter } from '../../oci/layout/layout-writer.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { formatReference, parseArtifactReference } from '../../oci/reference.ts';
import { isException } from '../../policy/parse-policies.ts';
import { programsOf } from '../../policy/programs-of.ts';
import type { CommandIo } from '../command-io.ts';
import { openPolicyFiles } from '../offline/policy-files.ts';
import {
  MAX_BLOB,
  tell,
  withRegistry,
  withRegistryOptions,
  type RegistryOptions,
} from './registry-access.ts';

interface SaveOptions extends RegistryOptions {
  readonly output: string;
  readonly policy: readonly string[];
}

export function createSaveCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('save')
    .summary('put artifacts of registries into one file, to carry them')
    .description(
      'Downloads artifacts and writes them into one file, an OCI image layout in a tar archive: for networks that the\n' +
        'registry cannot be reached from. There, `portcullis policy load` puts them into a registry or into files.\n' +
        'Signatures are artifacts too: name their tags.',
    )
    .argument('[reference...]', 'registry/repository:tag or registry/repository@sha256:…')
    .option('-p, --policy <path...>', 'policies whose modules are saved, files or folders', [])
    .requiredOption('-o, --output <file>', 'archive to write');
  return withRegistryOptions(command)
    .addHelpText('after', '\nExample:\n  portcullis policy save -p policies -o policies.tar\n')
    .action(async (texts: readonly string[], options: SaveOptions) => finish(await save(texts, options, io)));
}

async function save(texts: readonly string[], options: SaveOptions, io: CommandIo): Promise<number> {
  const named = await referencesIn(options.policy);
  if (isFault(named)) return tell(named, io);
  const all = [...new Set([...texts, ...named])];
  if (all.length === 0)
    return tell(
      new Fault(
        'PC_INPUT',
        'there is nothing to save: name references, or policies that have some with --policy',
      ),
      io,
    );
  return withRegistry(options, io, (client) =>
    intoFile(options.output, (writer) => saveAll(client, all, writer, io)),
  );
}

/** The archive appears under its name when it is complete. */
async function intoFile(
  path: string,
  fill: (writer: LayoutWriter) => Promise<Fault | undefined>,
): Promise<Fault | undefined> {
  const unfinished = `${path}.part`;
  const done = await attempt('PC_INPUT', `cannot write \`${path}\``, async () => {
    const file = await open(unfinished, 'w');
    try {
      const writer = createLayoutWriter((bytes) => file.writeFile(bytes));
      const problem = await fill(writer);
      if (problem !== undefined) return problem;
      await writer.end();
    } finally {
      await file.close();
    }
    return rename(unfinished, path);
  });
  if (!isFault(done)) return undefined;
  await rm(unfinished, { force: true });
  return done;
}

async function saveAll(
  client: OciClient,
  texts: readonly string[],
  writer: LayoutWriter,
  io: CommandIo,
): Promise<Fault | undefined> {
  for (const text of texts) {
    const reference = parseArtifactReference(text);
    if (isFault(reference)) return reference;
    const name = formatReference(reference);
    const digest = await saveContent(client, { writer, name }, reference, MAX_BLOB);
    if (isFault(digest)) return digest;
    io.out(`${name} ${digest}\n`);
  }
  return undefined;
}

async function referencesIn(paths: readonly string[]): Promise<readonly string[] | Fault> {
  if (paths.length === 0) return [];
  const { sources } = await openPolicyFiles(paths);
  const readings = (await Promise.all(sources.map((source) => source.read()))).flat();
  const references: string[] = [];
  for (const { result } of readings) {
    if (isFault(result)) return result;
    if (isException(result)) continue;
    references.push(...programsOf(result).flatMap(({ spec }) => spec.module.oci ?? []));
  }
  return references;
}
