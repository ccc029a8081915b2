import { Fault, isFault } from '../../kernel/fault.ts';
import type { Host } from '../../kernel/ports.ts';
import { attempt } from '../../kernel/result.ts';
import { Secret } from '../../kernel/secret.ts';
import { isRecord } from '../descriptor.ts';
import type { Credential, Keychain } from './credential.ts';
import { findEntry, HUB_KEY, parseDockerConfig, type DockerConfig } from './docker-config.ts';

export interface DockerKeychainOptions {
  /** Path of a `config.json` of docker. */
  readonly file: string;
  /** No such file means no credentials; else it is a fault. */
  readonly optional: boolean;
  readonly host: Pick<Host, 'readFile' | 'runCommand' | 'clock'>;
}

/** Milliseconds that an answer is used again: credentials change on disk, and helpers are programs. */
const FRESH = 30_000;
const HELPER_TIMEOUT = 10_000;
/** What helpers say, on standard output, when they have none (docker-credential-helpers/credentials/error.go). */
const NOT_FOUND = 'credentials not found';

type Found = Credential | undefined | Fault;

/** Credentials as docker keeps them: in the file, and with its helpers. The file is read again as time goes by. */
export function createDockerKeychain({ file, optional, host }: DockerKeychainOptions): Keychain {
  const known = new Map<string, { readonly until: number; readonly found: Promise<Found> }>();

  async function look(registry: string, repository: string): Promise<Found> {
    const config = await readConfig();
    if (config === undefined || isFault(config)) return config;
    const helper = config.credentialHelpers.get(registry) ?? config.credentialStore;
    const helped = helper === undefined ? undefined : await askHelper(helper, registry);
    return helped ?? findEntry(config, registry, repository)?.credential;
  }

  async function readConfig(): Promise<DockerConfig | undefined | Fault> {
    const text = await attempt('PC_OCI_CREDENTIALS', `cannot read \`${file}\``, () => host.readFile(file));
    if (isFault(text)) return optional && isMissing(text.cause) ? undefined : text;
    return parseDockerConfig(text, `\`${file}\``);
  }

  async function askHelper(name: string, registry: string): Promise<Found> {
    const command = `docker-credential-${name}`;
    const input = registry === 'docker.io' ? HUB_KEY : registry;
    const outcome = await attempt('PC_OCI_CREDENTIALS', `cannot run \`${command}\``, () =>
      host.runCommand({ command, args: ['get'], env: {}, timeout: HELPER_TIMEOUT, input }),
    );
    if (isFault(outcome)) return outcome;
    if (outcome.code !== 0) {
      return outcome.stdout.includes(NOT_FOUND)
        ? undefined
        : new Fault('PC_OCI_CREDENTIALS', `\`${command}\` failed for \`${registry}\``);
    }
    return (
      helperCredential(outcome.stdout) ??
      new Fault('PC_OCI_CREDENTIALS', `\`${command}\` wrote no credentials for \`${registry}\``)
    );
  }

  return {
    find(registry, repository) {
      const key = `${registry}/${repository}`;
      const now = host.clock.now();
      const before = known.get(key);
      if (before !== undefined && before.until > now) return before.found;
      for (const [old, { until }] of known) if (until <= now) known.delete(old);
      const found = look(registry, repository);
      known.set(key, { until: now + FRESH, found });
      return found;
    },
  };
}

function helperCredential(stdout: string): Credential | undefined {
  try {
    const value: unknown = JSON.parse(stdout);
    if (!isRecord(value)) return undefined;
    const { Username: username, Secret: secret } = value;
    if (typeof username !== 'string' || typeof secret !== 'string') return undefined;
    return username === '<token>'
      ? { kind: 'identity-token', token: new Secret(secret) }
      : { kind: 'password', username, password: new Secret(secret) };
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
