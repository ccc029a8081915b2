import { Command, Option } from 'commander';
import type { Decision, Operation } from '@portcullis/contract';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { WasiModulesFile } from '../sources/file/wasi-module-files.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { createCommandLog } from './offline/command-log.ts';
import { createOfflineServer, type Judgement, type OfflineServer } from './offline/offline-server.ts';
import { openHostCalls, type HostCalls } from './offline/host-calls.ts';
import { openPolicyFiles, ownNamespaceOption } from './offline/policy-files.ts';
import { readInputs, type ReviewInput } from './offline/read-inputs.ts';
import type { RequestDetails } from './offline/review-of-manifest.ts';

interface CheckOptions {
  readonly policy: readonly string[];
  readonly plugins: readonly string[];
  readonly kubewarden: readonly string[];
  readonly authenticationModules: readonly string[];
  readonly authorizationModules: readonly string[];
  readonly admissionModules: readonly string[];
  readonly file: readonly string[];
  readonly output: 'text' | 'json';
  readonly operation?: Operation;
  readonly namespace?: string;
  readonly resource?: string;
  readonly user?: string;
  readonly group: readonly string[];
  readonly recordHostCalls?: string;
  readonly replayHostCalls?: string;
  readonly kubeconfig?: string;
  readonly ownNamespace: string;
  readonly verbose: boolean;
}

export function createCheckCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('check')
    .summary('judge manifests or reviews offline, exactly as the server would')
    .description(
      'Judges manifests, AdmissionReviews, TokenReviews or SubjectAccessReviews with policies, offline, by the same code as the server.\n' +
        'Exit status: 0 all allowed or authenticated, 1 something not, 2 bad input or a policy that cannot be loaded.',
    )
    .option(
      '-p, --policy <path...>',
      'files or folders: policies in any kind, and manifests of the ConfigMaps and Secrets they name',
      [],
    )
    .option('--plugins <file...>', 'plugins.yaml files', [])
    .option(
      '--kubewarden <file...>',
      'policies.yml files: each policy is asked about everything, as by a webhook that calls it',
      [],
    )
    .option('--authentication-modules <file...>', 'configuration files of WASI modules for that gate', [])
    .option('--authorization-modules <file...>', 'the same for authorization', [])
    .option('--admission-modules <file...>', 'the same for admission, or an AdmissionConfiguration', [])
    .requiredOption('-f, --file <path...>', 'manifests or reviews, JSON or YAML; - for standard input')
    .addOption(
      new Option('-o, --output <form>', 'form of the result').choices(['text', 'json']).default('text'),
    )
    .addOption(
      new Option('--operation <name>', 'operation for manifests').choices([
        'CREATE',
        'UPDATE',
        'DELETE',
        'CONNECT',
      ]),
    )
    .option('-n, --namespace <name>', 'namespace for manifests that name none')
    .option('--resource <plural>', 'resource for manifests, when the plural of the kind is irregular')
    .option('--user <name>', 'user who makes the request')
    .option('--group <name...>', 'groups of that user', [])
    .addOption(
      new Option(
        '--replay-host-calls <file>',
        'answer what policies ask of the host as it was recorded; a call that is not there is bad input',
      ).conflicts(['recordHostCalls', 'kubeconfig']),
    )
    .option(
      '--record-host-calls <file>',
      'let policies ask the real registries, names and cluster, and write down what they got',
    )
    .option('--kubeconfig <file>', 'the cluster that is asked then; default: where kubectl looks')
    .addOption(ownNamespaceOption())
    .option('-v, --verbose', 'show what policies log', false)
    .addHelpText('after', '\nExample:\n  portcullis check -p policies/image-registry -f pod.yaml\n')
    .action(async (options: CheckOptions) => finish(await check(options, io)));
}

async function check(options: CheckOptions, io: CommandIo): Promise<number> {
  const named = [options.policy, options.plugins, options.kubewarden, wasiModulesFiles(options)];
  if (named.every(({ length }) => length === 0)) {
    io.err('error: name policies with --policy, --plugins, --kubewarden or --…-modules\n');
    return EXIT.badInput;
  }
  const log = createCommandLog(io, options.verbose);
  const { recordHostCalls: record, replayHostCalls: replay, kubeconfig } = options;
  const hostCalls = await openHostCalls({ record, replay, kubeconfig }, log);
  if (isFault(hostCalls)) {
    io.err(`${describeFault(hostCalls)}\n`);
    return EXIT.badInput;
  }
  const code = await checkPolicies(options, hostCalls, io);
  const unwritten = await hostCalls.close();
  const problems = [...hostCalls.missing, ...(unwritten === undefined ? [] : [unwritten])];
  for (const fault of problems) io.err(`${describeFault(fault)}\n`);
  return problems.length > 0 ? EXIT.badInput : code;
}

async function checkPolicies(
  options: CheckOptions,
  { capabilities }: HostCalls,
  io: CommandIo,
): Promise<number> {
  const server = await createOfflineServer({
    capabilities,
    ...(await openPolicyFiles(options.policy, {
      pluginsFiles: options.plugins,
      kubewardenFiles: options.kubewarden,
      wasiModules: wasiModulesFiles(options),
      namespace: options.ownNamespace,
    })),
    log: createCommandLog(io, options.verbose),
  });
  try {
    const { problems } = server.report;
    for (const { fault } of problems) io.err(`${describeFault(fault)}\n`);
    if (problems.length > 0) return EXIT.badInput;
    return await judgeAll(options, server, io);
  } finally {
    server.close();
  }
}

function wasiModulesFiles(options: CheckOptions): readonly WasiModulesFile[] {
  const files = {
    authentication: options.authenticationModules,
    authorization: options.authorizationModules,
    admission: options.admissionModules,
  } as const;
  return (['authentication', 'authorization', 'admission'] as const).flatMap((gate) =>
    files[gate].map((file) => ({ file, gate })),
  );
}

async function judgeAll(options: CheckOptions, server: OfflineServer, io: CommandIo): Promise<number> {
  const rows: unknown[] = [];
  let code: number = EXIT.ok;
  for (const path of options.file) {
    for (const input of await readInputs(path, requestDetails(options))) {
      const judged = isFault(input) ? input : await server.judge(input);
      if (isFault(judged)) {
        code = EXIT.badInput;
        io.err(`${isFault(input) ? '' : `${input.label}: `}${describeFault(judged)}\n`);
        continue;
      }
      if (judged.outcome !== 'allow' && code === EXIT.ok) code = EXIT.denied;
      if (options.output === 'json') rows.push(jsonRow(input as ReviewInput, judged));
      else io.out(textRow(input as ReviewInput, judged, io));
    }
  }
  if (options.output === 'json') io.out(`${JSON.stringify(rows, undefined, 2)}\n`);
  return code;
}

function requestDetails(options: CheckOptions): RequestDetails {
  return {
    ...(options.operation === undefined ? {} : { operation: options.operation }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.resource === undefined ? {} : { resource: options.resource }),
    ...(options.user === undefined ? {} : { userInfo: { username: options.user, groups: options.group } }),
  };
}

function describeFault(fault: Fault): string {
  return `${fault.code}: ${fault.message}\n  ${fault.advice}`;
}

/** By gate and outcome. */
const OUTCOMES: Readonly<Record<Judgement['gate'], Readonly<Record<Decision['outcome'], string>>>> = {
  admission: { allow: 'allowed', deny: 'denied', abstain: 'denied' },
  authentication: { allow: 'authenticated', deny: 'refused', abstain: 'not authenticated' },
  authorization: { allow: 'allowed', deny: 'denied', abstain: 'no opinion' },
};

function textRow({ label }: ReviewInput, judgement: Judgement, io: CommandIo): string {
  const { decisions, gate, outcome } = judgement;
  const asked = decisions.flatMap(({ contributions }) => contributions.map(({ policy }) => policy));
  const verdict = io.paint(outcome === 'allow' ? 'green' : 'red', OUTCOMES[gate][outcome]);
  const lines = [
    `${label}: ${verdict} by ${asked.length === 0 ? 'no policy (none concerns it)' : asked.join(', ')}`,
  ];
  for (const decision of decisions) {
    lines.push(...userLines(decision));
    if (decision.message !== undefined) lines.push(`  ${decision.message}`);
    if (decision.error !== undefined) lines.push(`  ${io.paint('yellow', 'error')}: ${decision.error}`);
    for (const cause of decision.causes) {
      lines.push(`  - ${cause.field === undefined ? '' : `${cause.field}: `}${cause.message}`);
    }
    for (const { exception, policy, message } of decision.contributions) {
      if (exception !== undefined) lines.push(`  excepted by ${exception}: [${policy}] ${message ?? ''}`);
    }
    for (const warning of decision.warnings) lines.push(`  ${io.paint('yellow', 'warning')}: ${warning}`);
  }
  for (const operation of judgement.patch) lines.push(`  patch: ${JSON.stringify(operation)}`);
  // Further lines of a message are indented, so that none looks like the verdict on another input.
  return `${lines.map((line) => line.replaceAll('\n', '\n    ')).join('\n')}\n`;
}

function userLines({ user, audiences }: Decision): string[] {
  if (user === undefined) return [];
  const groups = user.groups.length === 0 ? '' : `, groups ${user.groups.join(', ')}`;
  const good = audiences === undefined ? '' : `, for ${audiences.join(', ')}`;
  return [`  user ${user.username}${groups}${good}`];
}

function jsonRow({ label }: ReviewInput, judgement: Judgement): unknown {
  const { decisions, gate, outcome } = judgement;
  const [{ user, audiences, error } = {}] = decisions as readonly Partial<Decision>[];
  return {
    input: label,
    ...(gate === 'admission' ? {} : { gate, outcome, user, audiences, error }),
    allowed: outcome === 'allow',
    messages: decisions.flatMap(({ message }) => (message === undefined ? [] : [message])),
    reason: decisions.find(({ reason }) => reason !== undefined)?.reason,
    causes: decisions.flatMap(({ causes }) => causes),
    warnings: decisions.flatMap(({ warnings }) => warnings),
    auditAnnotations: Object.assign(
      {},
      ...decisions.map(({ auditAnnotations }) => auditAnnotations),
    ) as unknown,
    patch: judgement.patch,
    policies: decisions.flatMap(({ contributions }) => contributions),
  };
}
