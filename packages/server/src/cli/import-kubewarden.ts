import { readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { Command } from 'commander';
import type { JsonObject, Policy } from '@portcullis/contract';
import { parseDocument, visit } from 'yaml';
import { executionModeOf } from '../engines/execution-mode.ts';
import { INVENTORY } from '../engines/host-capabilities.ts';
import { isFault, type Fault } from '../kernel/fault.ts';
import { stringifyExact } from '../kernel/json/json-document.ts';
import { attempt } from '../kernel/result.ts';
import { describePolicy } from '../policy/describe-policy.ts';
import { parsePolicies } from '../policy/parse-policies.ts';
import { parsePoliciesYml } from '../policy/parse-policies-yml.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { OFFLINE_READING } from './offline/policy-files.ts';

interface ImportOptions {
  readonly output?: string;
}

const HEADER = `# What a policies.yml does not say is what its policies are asked about: that is in the rules of the webhooks that call it.
# Each of these matches everything until \`spec.match\` says what.
`;

export function createImportKubewardenCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('kubewarden')
    .summary('documents of the policies and groups of a `policies.yml`')
    .description(
      "Writes a document for each policy and group of a `policies.yml` of Kubewarden's policy-server.\n" +
        'Exit status: 0 all written, 2 bad input; the entries that can be read are written all the same.',
    )
    .argument('<file>', 'the `policies.yml`')
    .option('-o, --output <file>', 'where to write; default: standard output')
    .action(async (file: string, options: ImportOptions) =>
      finish(await importKubewarden(file, options, io)),
    );
}

async function importKubewarden(file: string, { output }: ImportOptions, io: CommandIo): Promise<number> {
  const text = await attempt('PC_MODULE_MISSING', `cannot read \`${file}\``, () => readFile(file, 'utf8'));
  if (isFault(text)) return refuse(text, io);
  const origin = { source: 'file', location: file, directory: dirname(resolve(file)) };
  const entries = parsePoliciesYml(text, origin, OFFLINE_READING);
  const documents: string[] = [];
  let code: number = EXIT.ok;
  for (const { result, warnings = [] } of entries) {
    for (const warning of warnings) io.err(`warning: ${warning}\n`);
    const document = isFault(result)
      ? result
      : documentOf(await withEngine(result), dirname(resolve(output ?? 'stdout')));
    if (isFault(document)) code = refuse(document, io);
    else documents.push(document);
  }
  const written = `${HEADER}${documents.join('---\n')}`;
  if (output === undefined) {
    io.out(written);
    return code;
  }
  const problem = await attempt('PC_MODULE_MISSING', `cannot write \`${output}\``, () =>
    writeFile(output, written),
  );
  return isFault(problem) ? refuse(problem, io) : code;
}

/** Modules that lie beside the file say what runs them; what a policy in Rego needs is granted to no other then. */
async function withEngine(policy: Policy): Promise<Policy> {
  const { spec, group, origin } = policy;
  const members: [string, Policy][] = [];
  for (const [name, member] of Object.entries(group?.members ?? {})) {
    members.push([name, await withEngine(member)]);
  }
  const whole =
    group === undefined ? policy : { ...policy, group: { ...group, members: Object.fromEntries(members) } };
  const { file } = spec.module;
  const bytes =
    file === undefined
      ? undefined
      : await attempt('PC_MODULE_MISSING', 'not here', () => readFile(resolve(origin.directory ?? '', file)));
  // It may come later, and is asked when it is loaded.
  if (bytes === undefined || isFault(bytes)) return whole;
  const mode = executionModeOf(bytes);
  if (mode === 'opa' || mode === 'gatekeeper') return { ...whole, spec: { ...spec, engine: mode } };
  return {
    ...whole,
    spec: { ...spec, capabilities: spec.capabilities.filter((name) => name !== INVENTORY) },
  };
}

/** A document that reads as this policy, or why there is none: names of ours are narrower than ids of theirs. */
function documentOf(policy: Policy, directory: string): string | Fault {
  const text = toYaml(describePolicy(seenFrom(directory, policy)));
  const [parsed] = parsePolicies(text, { source: 'file', location: policy.origin.location });
  return parsed !== undefined && isFault(parsed.result) ? parsed.result : text;
}

/** Relative paths of modules start from the folder of their document. */
function seenFrom(directory: string, policy: Policy): Policy {
  const { spec, group, origin } = policy;
  const { file } = spec.module;
  const isRelative = file !== undefined && !isAbsolute(file);
  const path = isRelative ? relative(directory, resolve(origin.directory ?? '', file)) : file;
  const module = path === undefined ? spec.module : { ...spec.module, file: path };
  const members = Object.entries(group?.members ?? {}).map(([name, member]) => [
    name,
    seenFrom(directory, member),
  ]);
  return {
    ...policy,
    spec: { ...spec, module },
    ...(group === undefined
      ? {}
      : { group: { ...group, members: Object.fromEntries(members) as typeof group.members } }),
  };
}

/** JSON is YAML: what is written is exact, and then laid out as people write it. */
function toYaml(value: JsonObject): string {
  const document = parseDocument(stringifyExact(value), { intAsBigInt: true });
  visit(document, {
    Scalar: (_, node) => void delete node.type,
    Collection: (_, node) => void (node.flow = node.items.length === 0),
  });
  return document.toString({ lineWidth: 0 });
}

function refuse(fault: Fault, io: CommandIo): number {
  io.err(`error: ${fault.message}\n  ${fault.code}: ${fault.advice}\n`);
  return EXIT.badInput;
}
