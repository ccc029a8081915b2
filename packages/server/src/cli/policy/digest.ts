import { Command } from 'commander';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { formatReference, parseArtifactReference, pinned } from '../../oci/reference.ts';
import type { CommandIo } from '../command-io.ts';
import { withRegistry, withRegistryOptions, type RegistryOptions } from './registry-access.ts';

export function createDigestCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('digest')
    .summary('show which content tags mean now')
    .description(
      'Prints each reference with the digest that its tag has now: what to write into a policy that must not change.',
    )
    .argument('<reference...>', 'registry/repository:tag');
  return withRegistryOptions(command)
    .addHelpText('after', '\nExample:\n  portcullis policy digest registry.example/policies/labels:v1\n')
    .action(async (texts: readonly string[], options: RegistryOptions) =>
      finish(await withRegistry(options, io, (client) => digests(client, texts, io))),
    );
}

async function digests(
  client: OciClient,
  texts: readonly string[],
  io: CommandIo,
): Promise<Fault | undefined> {
  for (const text of texts) {
    const reference = parseArtifactReference(text);
    if (isFault(reference)) return reference;
    // Bytes, and not only what the registry says: a digest that is written down is one that was seen.
    const manifest = await client.manifest(reference);
    if (isFault(manifest)) return manifest;
    io.out(`${formatReference(pinned(reference, manifest.digest))}\n`);
  }
  return undefined;
}
