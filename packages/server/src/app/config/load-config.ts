import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Fault, isFault } from '../../kernel/fault.ts';
import { checkConfig } from './check-config.ts';
import { resolveConfig, type Config, type Surroundings } from './config.ts';
import { readEnvironment } from './config-environment.ts';
import { parseConfigFile } from './config-file.ts';
import { mergeLayers, type ConfigLayer } from './config-layer.ts';
import { readOptions } from './config-options.ts';
import { isPolicyServer, readPolicyServer, type PolicyServerLayer } from './policy-server-layer.ts';

export interface ConfigInput extends Surroundings {
  /** As given with `--config`; without it `portcullis.yaml` is read when it exists. */
  readonly file?: string;
  /** Folders given with `--policies`; they come on top of `policies.directories`. */
  readonly policies: readonly string[];
  /** Other options by flag. */
  readonly options: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Flags of Kubewarden's policy-server, when it is to be one; its variables alone make it one as well. */
  readonly policyServer?: ReadonlyMap<string, string>;
  readonly workingDirectory: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
}

const DEFAULT_FILE = 'portcullis.yaml';

/** Option over variable over file over default; what is said in the words of a policy-server is a default. */
export async function loadConfig(input: ConfigInput): Promise<LoadedConfig | Fault> {
  const file = await readConfigFile(input);
  if (isFault(file)) return file;
  const environment = readEnvironment(input.environment, input.workingDirectory);
  const standIn = await readStandIn(input);
  if (isFault(standIn)) return standIn;
  const merged = mergeLayers([
    standIn,
    file,
    environment,
    readOptions(input.options, input.workingDirectory),
  ]);
  const values = checkConfig(merged);
  if (isFault(values)) return values;
  const directories = [
    ...values.policies.directories,
    ...input.policies.map((directory) => resolve(input.workingDirectory, directory)),
  ];
  const config = resolveConfig({ ...values, policies: { ...values.policies, directories } }, input);
  return isFault(config) ? config : { config, warnings: [...standIn.warnings, ...environment.warnings] };
}

async function readStandIn({
  policyServer,
  environment,
  workingDirectory,
}: ConfigInput): Promise<PolicyServerLayer | Fault> {
  if (policyServer === undefined && !isPolicyServer(environment))
    return { settings: new Map(), warnings: [] };
  return readPolicyServer({
    flags: policyServer ?? new Map(),
    environment,
    base: workingDirectory,
    readText: (path) => readFile(path, 'utf8'),
  });
}

async function readConfigFile(input: ConfigInput): Promise<ConfigLayer | Fault> {
  const shown = input.file ?? DEFAULT_FILE;
  const path = resolve(input.workingDirectory, shown);
  try {
    return parseConfigFile(await readFile(path, 'utf8'), path, shown);
  } catch (error) {
    if (input.file === undefined && isMissing(error)) return { settings: new Map() };
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault('PC_CONFIG_SYNTAX', `cannot read the configuration \`${shown}\`: ${reason}`, {
      cause: error,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
