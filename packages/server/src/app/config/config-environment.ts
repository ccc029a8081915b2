import { configKeys, type ConfigKey } from './config-keys.ts';
import { absolute, findKey, type ConfigLayer, type Setting } from './config-layer.ts';
import { nearestWord } from '../../kernel/nearest-word.ts';
import { readText } from './read-text.ts';

export interface EnvironmentLayer extends ConfigLayer {
  /** Variables that look like ours and are not: told, not refused, because others may put them there. */
  readonly warnings: readonly string[];
}

const BY_VARIABLE: ReadonlyMap<string, ConfigKey> = new Map(configKeys().map((key) => [key.variable, key]));

/** Variables of the plugin reference; ours win. */
const REFERENCE_VARIABLES: ReadonlyMap<string, string> = new Map([
  ['WEBHOOK_CERT_PATH', 'serving.tls.certFile'],
  ['WEBHOOK_KEY_PATH', 'serving.tls.keyFile'],
  ['LOG_LEVEL', 'log.level'],
  ['LOG_FORMAT', 'log.format'],
]);

/** Kubernetes sets these in every pod beside a Service whose name starts with `portcullis` (service links). */
const SERVICE_LINK = /^PORTCULLIS_(.*_)?(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?)$/;
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;

/** Every key as `PORTCULLIS_…`. `base` is the working directory. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  base: string,
): EnvironmentLayer {
  const settings = new Map<string, Setting>();
  const warnings: string[] = [];
  const set = (key: ConfigKey, variable: string, text: string): void => {
    const value = absolute(key, readText(key, text), base);
    settings.set(key.name, { path: key.path, value, where: () => `variable ${variable}` });
  };

  for (const [variable, name] of REFERENCE_VARIABLES) {
    const key = findKey(name);
    const text = environment[variable];
    if (key !== undefined && text !== undefined && text !== '') set(key, variable, text);
  }
  const bind = environment['WEBHOOK_BIND'];
  if (bind !== undefined && bind !== '') {
    for (const [name, setting] of bindSettings(bind, 'variable WEBHOOK_BIND')) settings.set(name, setting);
  }
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('PORTCULLIS_') || text === undefined) continue;
    const key = BY_VARIABLE.get(variable);
    // `PORTCULLIS_SERVING_PORT=tcp://10.0.0.7:443` is a service link of a Service `portcullis-serving`, not our port.
    const isLink = SERVICE_LINK.test(variable) && (key === undefined || SERVICE_ADDRESS.test(text));
    if (isLink) continue;
    if (key !== undefined) set(key, variable, text);
    else warnings.push(unknownVariable(variable));
  }
  return { settings, warnings };
}

/** `--bind HOST:PORT` of the plugin reference. */
export function bindSettings(bind: string, where: string): readonly (readonly [string, Setting])[] {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(bind);
  const host = match?.[1] ?? match?.[2] ?? bind;
  const setting = (path: readonly string[], value: unknown): readonly [string, Setting] => [
    path.join('.'),
    { path, value, where: () => where },
  ];
  // Without a port the text goes to the schema of the port, which refuses it.
  const port = match === null ? bind : Number(match[3]);
  return [...(host === '' ? [] : [setting(['serving', 'host'], host)]), setting(['serving', 'port'], port)];
}

function unknownVariable(variable: string): string {
  const nearest = nearestWord(variable, BY_VARIABLE.keys());
  const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
  return `variable \`${variable}\` sets no key of the configuration${hint}`;
}
