import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import type { Config } from '../app/config/config.ts';
import { loadConfig } from '../app/config/load-config.ts';
import { wasiModulesOf } from '../app/config/wasi-modules-of.ts';
import type { ReadinessProbe } from '../cluster/doctor/cluster-facts.ts';
import { diagnose } from '../cluster/doctor/diagnose.ts';
import { warning, type Finding } from '../cluster/doctor/finding.ts';
import { gatherFacts, type GatherOptions } from '../cluster/doctor/gather-facts.ts';
import { neededPermissions } from '../cluster/doctor/needed-permissions.ts';
import { probeEndpoint } from '../cluster/doctor/probe-endpoint.ts';
import type { RegistrationOptions } from '../cluster/registration/registration-options.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import { attempt } from '../kernel/result.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { CUSTOM_RESOURCES } from '../policy/custom-resources/custom-resources.ts';
import { describeDefinitions } from '../policy/custom-resources/describe-definitions.ts';
import { createFileDocumentSource } from '../sources/file/file-document-source.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { clusterPolicies, sorted, type PolicyReadings } from './offline/cluster-policies.ts';
import { createCommandLog } from './offline/command-log.ts';
import { openKubernetes } from './offline/kubernetes-access.ts';
import { openPolicyFiles } from './offline/policy-files.ts';

interface DoctorOptions {
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly policy: readonly string[];
  readonly serviceAccount?: string;
  readonly connect?: string;
  readonly management?: string;
  readonly output: 'text' | 'json';
  readonly verbose: boolean;
}

export function createDoctorCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('doctor')
    .summary('compare policies, webhooks, certificates and permissions with the live cluster')
    .description(
      'Compares what the policies need with what the cluster has: webhook rules, certificates, reachability, custom\n' +
        'resource definitions and permissions. Changes nothing.\n' +
        'Exit status: 0 nothing is wrong, 1 errors were found, 2 it could not look.',
    )
    .option('-c, --config <file>', 'configuration of the server; default: portcullis.yaml, when there is one')
    .option('--kubeconfig <file>', 'kubeconfig; default: kubernetes.kubeconfig, the pod, where kubectl looks')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', "the server's own namespace")
    .option('-p, --policy <path...>', 'policy files or folders, besides those of the configuration', [])
    .option('--service-account <namespace/name>', "check this account's permissions instead of one's own")
    .option(
      '--connect <host:port>',
      'where the gates are reached from here, for names known in the cluster only',
    )
    .option('--management <url>', 'management API, to ask whether the server is ready')
    .addOption(
      new Option('-o, --output <form>', 'form of the result').choices(['text', 'json']).default('text'),
    )
    .option('-v, --verbose', 'show what happens', false)
    .addHelpText('after', '\nExample:\n  portcullis doctor --kubeconfig ~/.kube/config -n portcullis\n')
    .action(async (options: DoctorOptions) => finish(await doctor(options, io)));
}

async function doctor(options: DoctorOptions, io: CommandIo): Promise<number> {
  const config = await readConfig(options, io);
  if (isFault(config)) return refuse(config, io);
  const client = await openKubernetes(
    { ...config.kubernetes, ...address(options) },
    createCommandLog(io, options.verbose),
  );
  if (isFault(client)) return refuse(client, io);
  try {
    const findings = await examine(options, config, client);
    if (isFault(findings)) return refuse(findings, io);
    if (options.output === 'json') io.out(`${JSON.stringify(findings, undefined, 2)}\n`);
    else io.out(findings.map((finding) => textRow(finding, io)).join(''));
    return findings.some(({ severity }) => severity === 'error') ? EXIT.denied : EXIT.ok;
  } finally {
    client.close();
  }
}

async function examine(
  options: DoctorOptions,
  config: Config,
  client: KubeClient,
): Promise<readonly Finding[] | Fault> {
  const namespace = options.namespace ?? config.kubernetes.namespace ?? client.namespace;
  const registration = await registrationOptions(config, namespace);
  if (isFault(registration)) return registration;
  const { policies, problems } = await readPolicies(options, config, client, namespace);
  const given = parseGiven(options);
  if (isFault(given)) return given;
  const facts = await gatherFacts({
    client,
    probe: probeEndpoint,
    now: Date.now(),
    registration,
    policies,
    definitions: config.kubernetes.resources ? describeDefinitions() : [],
    permissions: permissionsOf(config, namespace),
    ...given,
  });
  if (isFault(facts)) return facts;
  const unread = problems.map(({ message, advice }) =>
    warning('policies', `a policy cannot be read: ${message}`, advice),
  );
  return [...unread, ...diagnose(facts)];
}

async function readConfig(options: DoctorOptions, io: CommandIo): Promise<Config | Fault> {
  const loaded = await loadConfig({
    ...(options.config === undefined ? {} : { file: options.config }),
    policies: [],
    options: new Map(),
    environment: process.env,
    workingDirectory: process.cwd(),
    // Nothing is served: a certificate is not needed.
    development: true,
    cores: availableParallelism(),
    terminal: process.stderr.isTTY,
  });
  if (isFault(loaded)) return loaded;
  for (const text of loaded.warnings) io.err(`warning: ${text}\n`);
  return loaded.config;
}

function address({ kubeconfig, context }: DoctorOptions): { kubeconfig?: string; context?: string } {
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  };
}

async function registrationOptions(
  { kubernetes, serving }: Config,
  namespace: string,
): Promise<RegistrationOptions | Fault> {
  const { name, url, service, exemptNamespaces, timeout, caFile } = kubernetes.registration;
  const path = caFile ?? serving.tls.certFile;
  const caBundle =
    path === undefined
      ? undefined
      : await attempt('PC_CONFIG_VALUE', `cannot read \`${path}\``, () => readFile(path, 'utf8'));
  if (isFault(caBundle)) return caBundle;
  return {
    endpoint:
      url === undefined ? { service: { ...service, namespace: service.namespace ?? namespace } } : { url },
    name,
    ownNamespace: namespace,
    exemptNamespaces,
    maxTimeoutSeconds: Math.ceil(timeout / 1000),
    ...(caBundle === undefined ? {} : { caBundle }),
  };
}

async function readPolicies(
  options: DoctorOptions,
  { policies, kubernetes }: Config,
  client: KubeClient,
  namespace: string,
): Promise<PolicyReadings> {
  const { directories, files: paths, pluginsFile } = policies;
  const configured = createFileDocumentSource({
    directories,
    files: paths,
    pluginsFiles: pluginsFile === undefined ? [] : [pluginsFile],
    wasiModules: wasiModulesOf(policies),
    checkInterval: 0,
  });
  const { sources } = await openPolicyFiles(options.policy, { namespace });
  const readings = await Promise.all([configured, ...sources].map((source) => source.read()));
  const files = sorted(readings.flat().map(({ result }) => result));
  const cluster = await clusterPolicies(client, kubernetes, namespace);
  return {
    policies: [...files.policies, ...cluster.policies],
    problems: [...files.problems, ...cluster.problems],
  };
}

function permissionsOf({ kubernetes }: Config, namespace: string): GatherOptions['permissions'] {
  const { registration, lease, resources, configMaps, secrets, namespaceLabels } = kubernetes;
  return neededPermissions({
    namespace,
    lease,
    ...(registration.enabled ? { registration: registration.name } : {}),
    customResources: resources ? CUSTOM_RESOURCES.map(({ plural }) => plural) : [],
    readsConfigMaps: configMaps !== '',
    readsSecrets: secrets !== '',
    readsNamespaces: namespaceLabels,
  });
}

type Given = Pick<GatherOptions, 'serviceAccount' | 'connect' | 'readiness'>;

function parseGiven({ serviceAccount, connect, management }: DoctorOptions): Given | Fault {
  const account = /^([^/]+)\/([^/]+)$/.exec(serviceAccount ?? '');
  if (serviceAccount !== undefined && account === null) {
    return new Fault('PC_INPUT', `\`${serviceAccount}\` is not a service account: write namespace/name`);
  }
  const place = URL.parse(`https://${connect ?? ''}`);
  if (connect !== undefined && (place === null || !/:\d+$/.test(connect))) {
    return new Fault('PC_INPUT', `\`${connect}\` is not an address: write host:port`);
  }
  return {
    ...(account === null ? {} : { serviceAccount: { namespace: account[1] ?? '', name: account[2] ?? '' } }),
    ...(connect === undefined || place === null
      ? {}
      : { connect: { host: place.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(place.port || 443) } }),
    ...(management === undefined ? {} : { readiness: () => askReadiness(management) }),
  };
}

async function askReadiness(management: string): Promise<ReadinessProbe> {
  const url = `${management.replace(/\/+$/, '')}/readyz`;
  const status = await attempt('PC_INPUT', `\`${url}\` does not answer`, async () => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'manual' });
    await answer.arrayBuffer();
    return answer.status;
  });
  return { url, status };
}

const COLOURS = { ok: 'green', warning: 'yellow', error: 'red' } as const;

function textRow({ severity, check, message, fix }: Finding, io: CommandIo): string {
  const head = `${io.paint(COLOURS[severity], severity.padEnd(7))} ${check}: ${message}\n`;
  return fix === undefined ? head : `${head}        ${fix}\n`;
}

function refuse(fault: Fault, io: CommandIo): number {
  io.err(`error: ${fault.message}\n  ${fault.code}: ${fault.advice}\n`);
  return EXIT.badInput;
}
