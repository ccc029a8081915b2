import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { Fault, isFault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { loadContent } from '../../oci/layout/copy-content.ts';
import { moduleInLayout } from '../../oci/layout/module-in-layout.ts';
import { readLayout, type Layout } from '../../oci/layout/read-layout.ts';
import type { ReadAt } from '../../oci/layout/tar.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { formatReference, parseReference, pinned, type OciReference } from '../../oci/reference.ts';
import type { CommandIo } from '../command-io.ts';
import { MAX_BLOB, withRegistry, withRegistryOptions, type RegistryOptions } from './registry-access.ts';

interface LoadOptions extends RegistryOptions {
  readonly to?: string;
  readonly directory?: string;
}

export function createLoadCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('load')
    .summary('put the artifacts of an archive into a registry, or into files')
    .description(
      'Reads an archive of `portcullis policy save`, or another OCI image layout in a tar archive, and checks every digest.\n' +
        'With --to the artifacts go into a registry under their repository and tag, with --directory their modules into\n' +
        'files; with neither it only says what is in the archive.\n' +
        'A server finds them there without a change to its policies: see `sources.oci.mirrors`.',
    )
    .argument('<archive>', 'path of a .tar file')
    .option('--to <registry>', 'registry, optionally with a path that is put before each repository')
    .addOption(new Option('--directory <folder>', 'folder for the modules').conflicts('to'));
  return withRegistryOptions(command)
    .addHelpText('after', '\nExample:\n  portcullis policy load policies.tar --to registry.internal:5000\n')
    .action(async (path: string, options: LoadOptions) =>
      finish(await withRegistry(options, io, (client) => load(client, path, options, io))),
    );
}

async function load(
  client: OciClient,
  path: string,
  options: LoadOptions,
  io: CommandIo,
): Promise<Fault | undefined> {
  const done = await attempt('PC_INPUT', `cannot read \`${path}\``, async () => {
    const file = await open(path, 'r');
    try {
      const readAt: ReadAt = async (offset, length) => {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      };
      const layout = await readLayout(readAt);
      return isFault(layout)
        ? new Fault(layout.code, `\`${path}\`: ${layout.message}`)
        : await loadAll(client, layout, options, io);
    } finally {
      await file.close();
    }
  });
  return isFault(done) ? done : undefined;
}

async function loadAll(
  client: OciClient,
  layout: Layout,
  options: LoadOptions,
  io: CommandIo,
): Promise<Fault | undefined> {
  for (const { name, descriptor } of layout.entries) {
    const reference = parseReference(name ?? '');
    if (isFault(reference)) {
      return new Fault('PC_INPUT', `\`${descriptor.digest}\` has no name in the archive that is a reference`);
    }
    const loaded = await loadOne(client, layout, { reference, descriptor }, options);
    if (isFault(loaded)) return loaded;
    io.out(`${loaded}\n`);
  }
  return undefined;
}

interface Entry {
  readonly reference: OciReference;
  readonly descriptor: Descriptor;
}

async function loadOne(
  client: OciClient,
  layout: Layout,
  { reference, descriptor }: Entry,
  { to, directory }: LoadOptions,
): Promise<string | Fault> {
  if (to !== undefined) {
    const target = targetOf(reference, to);
    if (isFault(target)) return target;
    const digest = await loadContent(client, layout, { descriptor, reference: target }, MAX_BLOB);
    return isFault(digest) ? digest : formatReference(pinned(target, digest));
  }
  const shown = `${formatReference(reference)} ${descriptor.digest}`;
  if (directory === undefined) return shown;
  const module = await moduleInLayout(layout, descriptor, MAX_BLOB);
  if (isFault(module)) return module;
  // Neither holds `..`: the grammar of references does not allow it.
  const file = join(
    directory,
    reference.repository,
    `${reference.tag ?? descriptor.digest.replace(':', '-')}.wasm`,
  );
  const written = await attempt('PC_INPUT', `cannot write \`${file}\``, async () => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, module);
  });
  return isFault(written) ? written : `${file} ${shown}`;
}

/** The same repository and tag in another registry. */
function targetOf(reference: OciReference, to: string): OciReference | Fault {
  const [registry = '', ...path] = to.split('/').filter((part) => part !== '');
  const repository = [...path, reference.repository].join('/');
  const target = parseReference(formatReference({ ...reference, registry, repository }));
  // `registry/team` alone would be a repository of Docker Hub.
  if (isFault(target) || target.registry === registry) return target;
  return new Fault(
    'PC_INPUT',
    `\`${to}\` does not start with the host of a registry, such as \`registry.internal:5000\``,
  );
}
