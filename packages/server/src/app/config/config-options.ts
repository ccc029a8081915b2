import type { ConfigKey } from './config-keys.ts';
import { bindSettings } from './config-environment.ts';
import { absolute, findKey, type ConfigLayer, type Setting } from './config-layer.ts';
import { readText } from './read-text.ts';

/** Options of `portcullis serve` that set one key each; several names are those of other servers, for who comes from there. */
export const CONFIG_OPTIONS: readonly {
  readonly flag: string;
  readonly key: string;
  readonly value: string;
}[] = [
  { flag: '--host', key: 'serving.host', value: 'ADDRESS' },
  { flag: '--port', key: 'serving.port', value: 'PORT' },
  { flag: '--threads', key: 'serving.threads', value: 'N' },
  { flag: '--cert-path', key: 'serving.tls.certFile', value: 'FILE' },
  { flag: '--key-path', key: 'serving.tls.keyFile', value: 'FILE' },
  { flag: '--management-host', key: 'management.host', value: 'ADDRESS' },
  { flag: '--management-port', key: 'management.port', value: 'PORT' },
  { flag: '--data-directory', key: 'dataDirectory', value: 'DIR' },
  { flag: '--log-level', key: 'log.level', value: 'LEVEL' },
  { flag: '--log-format', key: 'log.format', value: 'FORMAT' },
  { flag: '--webhook-port', key: 'serving.port', value: 'PORT' },
  { flag: '--webhook-cert', key: 'serving.tls.certFile', value: 'FILE' },
  { flag: '--webhook-key', key: 'serving.tls.keyFile', value: 'FILE' },
  { flag: '--plugin-config', key: 'policies.pluginsFile', value: 'FILE' },
  { flag: '--authentication-wasm-config-file', key: 'policies.authenticationModulesFile', value: 'FILE' },
  { flag: '--authorization-wasm-config-file', key: 'policies.authorizationModulesFile', value: 'FILE' },
  { flag: '--admission-control-config-file', key: 'policies.admissionModulesFile', value: 'FILE' },
];

/** The layer of the command line. `given` maps flags, such as `--port`, to their texts; `--bind` sets host and port. */
export function readOptions(given: ReadonlyMap<string, string>, base: string): ConfigLayer {
  const settings = new Map<string, Setting>();
  const bind = given.get('--bind');
  if (bind !== undefined) {
    for (const [name, setting] of bindSettings(bind, 'option --bind')) settings.set(name, setting);
  }
  for (const { flag, key: name } of CONFIG_OPTIONS) {
    const text = given.get(flag);
    const key: ConfigKey | undefined = findKey(name);
    if (text === undefined || key === undefined) continue;
    const value = absolute(key, readText(key, text), base);
    settings.set(name, { path: key.path, value, where: () => `option ${flag}` });
  }
  return { settings };
}
