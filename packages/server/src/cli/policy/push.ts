import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { Fault, isFault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import { isRecord } from '../../oci/descriptor.ts';
import { parseJson } from '../../oci/manifest.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { buildPolicyArtifact, pushArtifact } from '../../oci/policy-artifact.ts';
import { formatReference, parseArtifactReference, pinned } from '../../oci/reference.ts';
import { decodeModule } from '../../wasm/decode/decode-module.ts';
import { readCustomSection } from '../../wasm/decode/read-custom-section.ts';
import type { CommandIo } from '../command-io.ts';
import { METADATA_SECTION } from './policy-metadata.ts';
import { withRegistry, withRegistryOptions, type RegistryOptions } from './registry-access.ts';

type Annotations = Readonly<Record<string, string>>;

interface PushOptions extends RegistryOptions {
  readonly annotation: Annotations;
}

/** Too long for a manifest: for people, who read it in the module. */
const LEFT_OUT = 'io.kubewarden.policy.usage';

export function createPushCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('push')
    .summary('upload a module to a registry')
    .description(
      'Uploads a Wasm module as an artifact of one layer, in the form that Kubewarden uses too. Annotations in the\n' +
        'metadata of the module (see `portcullis policy annotate`) become those of the artifact.\n' +
        'Prints the reference by which exactly this content is found again.',
    )
    .argument('<module>', 'path of a .wasm file')
    .argument('<reference>', 'registry/repository:tag')
    .option('--annotation <key=value>', 'annotation of the artifact; may be repeated', collect, {});
  return withRegistryOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n  portcullis policy push labels.wasm registry.example/policies/labels:v1\n',
    )
    .action(async (path: string, text: string, options: PushOptions) =>
      finish(await withRegistry(options, io, (client) => push(client, { path, text }, options, io))),
    );
}

async function push(
  client: OciClient,
  { path, text }: { readonly path: string; readonly text: string },
  { annotation }: PushOptions,
  io: CommandIo,
): Promise<Fault | undefined> {
  const reference = parseArtifactReference(text);
  if (isFault(reference)) return reference;
  const bytes = await attempt('PC_INPUT', `cannot read \`${path}\``, () => readFile(path));
  if (isFault(bytes)) return bytes;
  const module = decodeModule(bytes);
  if (isFault(module)) return module;
  const own = annotationsIn(bytes);
  if (isFault(own)) return own;
  const artifact = buildPolicyArtifact(bytes, { ...own, ...annotation });
  const digest = await pushArtifact(client, reference, artifact);
  if (isFault(digest)) return digest;
  io.out(`${formatReference(pinned(reference, digest))}\n`);
  return undefined;
}

function annotationsIn(module: Uint8Array): Annotations | Fault {
  const section = readCustomSection(module, METADATA_SECTION);
  if (section === undefined || isFault(section)) return section ?? {};
  const metadata = parseJson(section);
  if (!isRecord(metadata)) {
    return new Fault('PC_INPUT', `the section \`${METADATA_SECTION}\` of the module is not a JSON object`);
  }
  const annotations = metadata['annotations'];
  const entries = isRecord(annotations) ? Object.entries(annotations) : [];
  return Object.fromEntries(
    entries.filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0] !== LEFT_OUT,
    ),
  );
}

function collect(text: string, before: Annotations): Annotations {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('write it as key=value.');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}
