import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { locateModule } from '../../oci/policy-artifact.ts';
import { formatReference, parseArtifactReference, pinned } from '../../oci/reference.ts';
import type { CommandIo } from '../command-io.ts';
import { MAX_BLOB, withRegistry, withRegistryOptions, type RegistryOptions } from './registry-access.ts';

interface PullOptions extends RegistryOptions {
  readonly output?: string;
}

export function createPullCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('pull')
    .summary('download the module of a policy')
    .description(
      'Downloads the module of a policy, checks it against its digest and writes it to a file.\n' +
        'Prints the file and the reference by which exactly this content is found again.',
    )
    .argument('<reference>', 'registry/repository:tag or registry/repository@sha256:…')
    .option(
      '-o, --output <file>',
      'file to write (default: the last part of the repository, .wasm; must be new)',
    );
  return withRegistryOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n  portcullis policy pull ghcr.io/kubewarden/policies/safe-labels:v1.0.0\n',
    )
    .action(async (text: string, options: PullOptions) =>
      finish(await withRegistry(options, io, (client) => pull(client, text, options, io))),
    );
}

async function pull(
  client: OciClient,
  text: string,
  { output }: PullOptions,
  io: CommandIo,
): Promise<Fault | undefined> {
  const reference = parseArtifactReference(text);
  if (isFault(reference)) return reference;
  const located = await locateModule(client, reference);
  if (isFault(located)) return located;
  const bytes = await client.blob(reference, located.layer, MAX_BLOB);
  if (isFault(bytes)) return bytes;
  const file = output ?? `${reference.repository.replace(/^.*\//, '')}.wasm`;
  const flag = output === undefined ? 'wx' : 'w';
  const written = await attempt('PC_INPUT', `cannot write \`${file}\` (see --output)`, () =>
    writeFile(file, bytes, { flag }),
  );
  if (isFault(written)) return written;
  io.out(`${file} ${formatReference(pinned(reference, located.digest))}\n`);
  return undefined;
}
