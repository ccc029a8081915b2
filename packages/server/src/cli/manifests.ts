import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { describeRegistration } from '../cluster/registration/describe-registration.ts';
import type { RegistrationNote } from '../cluster/registration/registration-options.ts';
import { describeStaticManifests } from '../cluster/registration/static-manifests.ts';
import { isFault, type Fault } from '../kernel/fault.ts';
import { attempt } from '../kernel/result.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { sorted } from './offline/cluster-policies.ts';
import { openPolicyFiles } from './offline/policy-files.ts';

interface ManifestsOptions {
  readonly policy: readonly string[];
  readonly plugins: readonly string[];
  readonly url: string;
  readonly caFile?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly exempt: readonly string[];
  readonly timeout: string;
  readonly static: boolean;
  readonly kind?: 'validating' | 'mutating';
}

export function createManifestsCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('manifests')
    .summary('print the webhook configurations that policies need')
    .description(
      'Prints the webhook configurations that the policies need, for kubectl, or with --static for the folder that an API\n' +
        'server reads itself (staticManifestsDir): each of its two plugins takes one kind only, so print them with --kind.\n' +
        'Exit status: 0 printed, 2 bad input.',
    )
    .requiredOption('-p, --policy <path...>', 'policy files or folders')
    .option('--plugins <file...>', 'plugins.yaml files', [])
    .requiredOption('--url <https-url>', 'where API servers reach the gates')
    .option('--ca-file <file>', "PEM file with the authority of the gates' certificate")
    .option('--name <name>', 'name of the configurations', 'portcullis')
    .option('-n, --namespace <name>', "the server's own namespace, which is exempt")
    .option('--exempt <name...>', 'namespaces that are not judged', ['kube-system'])
    .option('--timeout <seconds>', 'the longest that an API server waits', '10')
    .option('--static', 'for API servers that read webhooks from files', false)
    .addOption(new Option('--kind <kind>', 'print only these').choices(['validating', 'mutating']))
    .addHelpText(
      'after',
      '\nExample:\n  portcullis manifests --static --kind validating --url https://10.0.0.5:8443 --ca-file ca.pem -p policies\n',
    )
    .action(async (options: ManifestsOptions) => finish(await manifests(options, io)));
}

async function manifests(options: ManifestsOptions, io: CommandIo): Promise<number> {
  const problem = checkOptions(options);
  if (problem !== undefined) {
    io.err(`error: ${problem}\n`);
    return EXIT.badInput;
  }
  const { caFile } = options;
  const caBundle =
    caFile === undefined
      ? undefined
      : await attempt('PC_INPUT', `cannot read \`${caFile}\``, () => readFile(caFile, 'utf8'));
  if (isFault(caBundle)) return refuse([caBundle], io);
  const { sources } = await openPolicyFiles(options.policy, {
    pluginsFiles: options.plugins,
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  });
  const readings = (await Promise.all(sources.map((source) => source.read()))).flat();
  const { policies, problems } = sorted(readings.map(({ result }) => result));
  if (problems.length > 0) return refuse(problems, io);

  const common = {
    url: options.url,
    name: options.name,
    exemptNamespaces: options.exempt,
    maxTimeoutSeconds: Number(options.timeout),
    ...(options.namespace === undefined ? {} : { ownNamespace: options.namespace }),
    ...(caBundle === undefined ? {} : { caBundle }),
  };
  if (options.static) return print(describeStaticManifests(policies, common), options, io);
  const { validating, mutating, notes } = describeRegistration(policies, {
    ...common,
    endpoint: { url: options.url },
  });
  return print({ validating: asYaml(validating), mutating: asYaml(mutating), notes }, options, io);
}

function checkOptions({ url, timeout }: ManifestsOptions): string | undefined {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'https:') return '`--url` must be an https URL';
  if (parsed.search !== '' || parsed.hash !== '' || parsed.username !== '' || parsed.password !== '') {
    return '`--url` must have no user, query or fragment';
  }
  const isSeconds = /^\d{1,2}$/.test(timeout) && Number(timeout) >= 1 && Number(timeout) <= 30;
  return isSeconds ? undefined : '`--timeout` must be whole seconds, 1 to 30';
}

interface Printed {
  readonly validating?: string | undefined;
  readonly mutating?: string | undefined;
  readonly notes: readonly RegistrationNote[];
}

function print({ validating, mutating, notes }: Printed, { kind }: ManifestsOptions, io: CommandIo): number {
  for (const { policy, level, text } of notes) {
    io.err(`${level === 'warning' ? 'warning' : 'note'}: policy \`${policy}\` ${text}\n`);
  }
  const documents = [
    kind === 'mutating' ? undefined : validating,
    kind === 'validating' ? undefined : mutating,
  ].filter((document) => document !== undefined);
  io.out(documents.join('---\n'));
  return EXIT.ok;
}

function asYaml(document: object | undefined): string | undefined {
  if (document === undefined) return undefined;
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function refuse(faults: readonly Fault[], io: CommandIo): number {
  for (const { code, message, advice } of faults) io.err(`${code}: ${message}\n  ${advice}\n`);
  return EXIT.badInput;
}
