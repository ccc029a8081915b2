import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { parse } from 'yaml';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import { decodeModule } from '../../wasm/decode/decode-module.ts';
import { EXIT, type CommandIo } from '../command-io.ts';
import { METADATA_SECTION, parsePolicyMetadata } from './policy-metadata.ts';
import { tell } from './registry-access.ts';
import { withCustomSection } from './with-custom-section.ts';

interface AnnotateOptions {
  readonly metadata: string;
  readonly usage?: string;
  readonly output: string;
}

export function createAnnotateCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('annotate')
    .summary('write metadata into a module')
    .description(
      'Writes the metadata of a policy into its module, as the custom section `io.kubewarden.metadata`: how it is run, what it\n' +
        'judges, whether it changes objects, what it asks of the host. Metadata that was there is replaced.',
    )
    .argument('<module>', 'path of a .wasm file')
    .requiredOption('-m, --metadata <file>', 'the metadata, YAML or JSON')
    .requiredOption('-o, --output <file>', 'module to write; may be the same file')
    .option('-u, --usage <file>', 'how the policy is used, Markdown')
    .addHelpText(
      'after',
      '\nExample:\n  portcullis policy annotate labels.wasm --metadata metadata.yml -o labels.wasm\n' +
        '\nThe least that metadata of a waPC policy says:\n' +
        '  protocolVersion: v1\n' +
        '  mutating: false\n' +
        '  rules:\n' +
        '    - { apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE, UPDATE] }\n' +
        '  annotations:\n' +
        '    io.kubewarden.policy.title: labels\n' +
        'Others name their `executionMode`: wasi, opa or gatekeeper.\n',
    )
    .action(async (path: string, options: AnnotateOptions) => {
      const problem = await annotate(path, options, io);
      finish(problem === undefined ? EXIT.ok : tell(problem, io));
    });
}

async function annotate(
  path: string,
  { metadata: metadataPath, usage: usagePath, output }: AnnotateOptions,
  io: CommandIo,
): Promise<Fault | undefined> {
  const bytes = await attempt('PC_INPUT', `cannot read \`${path}\``, () => readFile(path));
  if (isFault(bytes)) return bytes;
  const module = decodeModule(bytes);
  if (isFault(module)) return module;
  const value = await attempt('PC_INPUT', `cannot read \`${metadataPath}\``, async (): Promise<unknown> =>
    parse(await readFile(metadataPath, 'utf8')),
  );
  if (isFault(value)) return value;
  const metadata = parsePolicyMetadata(value, metadataPath);
  if (isFault(metadata)) return metadata;
  const usage = await readUsage(usagePath);
  if (isFault(usage)) return usage;
  const annotations = { ...metadata.annotations, ...usage };
  const payload = Buffer.from(JSON.stringify({ ...metadata, annotations }));
  const annotated = withCustomSection(bytes, METADATA_SECTION, payload);
  if (isFault(annotated)) return annotated;
  const written = await attempt('PC_INPUT', `cannot write \`${output}\``, () => writeFile(output, annotated));
  if (isFault(written)) return written;
  io.out(`${output}\n`);
  return undefined;
}

async function readUsage(path: string | undefined): Promise<Readonly<Record<string, string>> | Fault> {
  if (path === undefined) return {};
  const text = await attempt('PC_INPUT', `cannot read \`${path}\``, () => readFile(path, 'utf8'));
  return isFault(text) ? text : { 'io.kubewarden.policy.usage': text };
}
