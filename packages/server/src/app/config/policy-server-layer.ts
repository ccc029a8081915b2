import { join } from 'node:path';
import { Fault, isFault } from '../../kernel/fault.ts';
import { absolute, findKey, type ConfigLayer, type Setting } from './config-layer.ts';
import { POLICY_SERVER_FLAGS, type PolicyServerFlag } from './policy-server-flags.ts';
import { readPolicyServerSources } from './policy-server-sources.ts';
import { readText } from './read-text.ts';

export interface PolicyServerInput {
  /** By flag; a switch that is set is `true`. */
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The working directory. */
  readonly base: string;
  readonly readText: (path: string) => Promise<string>;
}

export interface PolicyServerLayer extends ConfigLayer {
  readonly warnings: readonly string[];
}

/** What it does where nothing is said, as far as ours is another default. Modules come from wherever its file says. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'serving.port': '3000',
  'kubewarden.policiesFile': 'policies.yml',
  'kubewarden.readinessPort': '8081',
  'kubewarden.plainHttp': 'true',
  'sources.maxModuleBytes': '64Mi',
  'sources.url.allowPrivate': 'true',
  'sources.url.allowWithoutDigest': 'true',
  'sources.oci.allowPrivate': 'true',
};
/** In a pod: its account answers policies that read the cluster; everything else of a cluster is left alone. */
const IN_A_POD: Readonly<Record<string, string>> = {
  'kubernetes.enabled': 'true',
  'kubernetes.resources': 'false',
  'kubernetes.configMaps': '',
  'kubernetes.namespaceLabels': 'false',
};
const LONGEST = '30s';

/** Whether the variables are those of a policy-server: its controller always names the file. */
export function isPolicyServer(environment: PolicyServerInput['environment']): boolean {
  return (environment['KUBEWARDEN_POLICIES'] ?? '') !== '';
}

function isInPod(environment: PolicyServerInput['environment']): boolean {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = environment;
  return host !== '' && port !== '';
}

/** The configuration that flags and variables of Kubewarden's policy-server stand for. PC_CONFIG_VALUE. */
export async function readPolicyServer(input: PolicyServerInput): Promise<PolicyServerLayer | Fault> {
  const { flags, environment, base } = input;
  const settings = new Map<string, Setting>();
  const warnings: string[] = [];
  const set: SetKey = (name, text, where) => {
    const key = findKey(name);
    if (key === undefined) throw new TypeError(`no key \`${name}\``);
    settings.set(name, {
      path: key.path,
      value: absolute(key, readText(key, text), base),
      where: () => where,
    });
  };
  const defaults = isInPod(environment) ? { ...DEFAULTS, ...IN_A_POD } : DEFAULTS;
  for (const [name, text] of Object.entries(defaults)) set(name, text, 'default of the policy-server');

  for (const row of POLICY_SERVER_FLAGS) {
    const { does } = row;
    const given = givenTo(row, flags, environment);
    if (given === undefined || does === 'nothing') continue;
    const problem = does === 'sources' ? await applySources(given) : apply(row.flag, does, given);
    if (problem !== undefined) return problem;
  }
  return { settings, warnings };

  async function applySources({ text, where }: Given): Promise<Fault | undefined> {
    const sources = await readPolicyServerSources(text, where, input);
    if (isFault(sources)) return sources;
    warnings.push(...sources.warnings);
    if (sources.plainHttp.length > 0) set('sources.oci.plainHttp', sources.plainHttp.join(','), where);
    if (sources.ca === '') return undefined;
    for (const key of ['sources.oci.ca', 'sources.url.ca']) set(key, sources.ca, where);
    return undefined;
  }

  function apply(
    flag: string,
    does: Exclude<PolicyServerFlag['does'], string>,
    { text, where }: Given,
  ): Fault | undefined {
    if ('refuse' in does) return new Fault('PC_CONFIG_VALUE', `${where}: ${does.refuse}`);
    if ('note' in does) warnings.push(`${where}: ${does.note}`);
    else set(does.key, inOurWords(text, does.as), where);
    if (flag === '--policies-download-dir') set('sources.cache.directory', join(text, 'modules'), where);
    if (flag === '--disable-timeout-protection') set('kubewarden.policyTimeout', LONGEST, where);
    if (flag === '--client-ca-file') {
      set('serving.tls.requireClientCert', 'true', where);
    }
    if (flag === '--log-fmt' && text === 'otlp') {
      warnings.push(`${where}: spans are sent where \`telemetry.otlp.endpoint\` says, over HTTP`);
    }
    return undefined;
  }
}

type SetKey = (name: string, text: string, where: string) => void;

interface Given {
  readonly text: string;
  /** For messages. */
  readonly where: string;
}

function givenTo(
  { flag, variable, value }: PolicyServerFlag,
  flags: ReadonlyMap<string, string>,
  environment: PolicyServerInput['environment'],
): Given | undefined {
  const option = flags.get(flag);
  const text = option ?? environment[variable] ?? '';
  if (text === '' || (value === undefined && !/^(?:true|1|yes|on)$/i.test(text))) return undefined;
  // Kubernetes sets it in pods beside a Service that is called `kubewarden`.
  if (option === undefined && /^(?:tcp|udp):\/\//.test(text)) return undefined;
  return { text, where: option === undefined ? `variable ${variable}` : `option ${flag}` };
}

type Form = 'seconds' | 'logLevel' | 'logFormat' | undefined;

/** What cannot be read stays as it is, for the schema to refuse. */
function inOurWords(text: string, form: Form): string {
  switch (form) {
    case 'seconds':
      return /^\d+$/.test(text) ? (Number(text) > 30 ? LONGEST : `${text}s`) : text;
    case 'logLevel':
      return text === 'trace' ? 'debug' : text;
    case 'logFormat':
      return text === 'text' ? 'pretty' : text === 'otlp' ? 'json' : text;
    default:
      return text;
  }
}
