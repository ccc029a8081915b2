import { Fault } from '../../kernel/fault.ts';
import { absolute, findKey, type ConfigLayer, type Setting } from './config-layer.ts';
import { POLICY_SERVER_FLAGS, type PolicyServerFlag } from './policy-server-flags.ts';
import { readText } from './read-text.ts';

export interface PolicyServerInput {
  /** By flag; a switch that is set is `true`. */
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The working directory. */
  readonly base: string;
}

export interface PolicyServerLayer extends ConfigLayer {
  readonly warnings: readonly string[];
}

/** What it does where nothing is said, as far as ours is another default. Modules come from wherever its file says. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'serving.port': '3000',
  'kubewarden.policiesFile': 'policies.yml',
  'kubewarden.readinessPort': '8081',
  'sources.maxModuleBytes': '64Mi',
  'sources.url.allowPrivate': 'true',
  'sources.url.allowWithoutDigest': 'true',
  'sources.oci.allowPrivate': 'true',
};
const LONGEST = '30s';

/** Whether the variables are those of a policy-server: its controller always names the file. */
export function isPolicyServer(environment: PolicyServerInput['environment']): boolean {
  return (environment['KUBEWARDEN_POLICIES'] ?? '') !== '';
}

/** The configuration that flags and variables of Kubewarden's policy-server stand for. PC_CONFIG_VALUE. */
export function readPolicyServer({ flags, environment, base }: PolicyServerInput): PolicyServerLayer | Fault {
  const settings = new Map<string, Setting>();
  const warnings: string[] = [];
  const set = (name: string, text: string, where: string): void => {
    const key = findKey(name);
    if (key === undefined) throw new TypeError(`no key \`${name}\``);
    settings.set(name, {
      path: key.path,
      value: absolute(key, readText(key, text), base),
      where: () => where,
    });
  };
  for (const [name, text] of Object.entries(DEFAULTS)) set(name, text, 'default of the policy-server');

  for (const row of POLICY_SERVER_FLAGS) {
    const { does } = row;
    const given = givenTo(row, flags, environment);
    if (given === undefined || does === 'nothing') continue;
    const { text, where } = given;
    if ('refuse' in does) return new Fault('PC_CONFIG_VALUE', `${where}: ${does.refuse}`);
    if ('note' in does) warnings.push(`${where}: ${does.note}`);
    else set(does.key, inOurWords(text, does.as), where);
    if (row.flag === '--disable-timeout-protection') set('kubewarden.policyTimeout', LONGEST, where);
    if (row.flag === '--client-ca-file') {
      if (text.includes(','))
        return new Fault('PC_CONFIG_VALUE', `${where}: put all authorities into one file`);
      set('serving.tls.requireClientCert', 'true', where);
    }
    if (row.flag === '--log-fmt' && text === 'otlp') {
      warnings.push(`${where}: spans are sent where \`telemetry.otlp.endpoint\` says, over HTTP`);
    }
  }
  return { settings, warnings };
}

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
