import { Fault } from '../../kernel/fault.ts';
import { Secret } from '../../kernel/secret.ts';
import { isRecord } from '../descriptor.ts';
import type { Credential } from './credential.ts';

/** `config.json` of docker, `.dockerconfigjson` and `.dockercfg` of Kubernetes. */
export interface DockerConfig {
  /** Longest names first, so that the most particular one is found first. */
  readonly entries: readonly DockerConfigEntry[];
  /** Registry to the name of the helper that knows its credentials. */
  readonly credentialHelpers: ReadonlyMap<string, string>;
  /** The helper for all others. */
  readonly credentialStore?: string;
}

export interface DockerConfigEntry {
  readonly pattern: RegistryPattern;
  readonly credential: Credential;
}

interface RegistryPattern {
  readonly labels: readonly RegExp[];
  readonly port: string;
  readonly path: string;
}

export const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
const HELPER = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/;

/** `what` names the text in faults; nothing of its content is shown. */
export function parseDockerConfig(text: string, what: string): DockerConfig | Fault {
  const refuse = (why: string): Fault => new Fault('PC_OCI_CREDENTIALS', `${what} ${why}`);
  const value = parse(text);
  if (!isRecord(value)) return refuse('is not a JSON object');
  const { credsStore, credHelpers = {} } = value;
  // `.dockercfg` is the map alone; `config.json` without logins may have none.
  const isBare =
    !('auths' in value) && Object.values(value).some((entry) => isRecord(entry) && 'auth' in entry);
  const auths = isBare ? value : (value['auths'] ?? {});
  if (!isRecord(auths)) return refuse('has `auths` that are not an object');
  if (!isRecord(credHelpers)) return refuse('has `credHelpers` that are not an object');
  const helpers = Object.entries(credHelpers);
  if ([credsStore ?? 'none', ...Object.values(credHelpers)].some((name) => !isHelper(name))) {
    return refuse('names a credential helper that cannot be one');
  }
  const entries: DockerConfigEntry[] = [];
  for (const [key, entry] of Object.entries(auths).sort(([a], [b]) => b.length - a.length)) {
    const credential = credentialOf(entry);
    if (credential === null) return refuse(`has an entry for \`${key}\` that cannot be read`);
    if (credential !== undefined) entries.push({ pattern: patternOf(key), credential });
  }
  return {
    entries,
    credentialHelpers: new Map(helpers.map(([key, name]) => [registryOf(key), String(name)])),
    ...(typeof credsStore === 'string' && credsStore !== '' ? { credentialStore: credsStore } : {}),
  };
}

/** The first entry for a repository. Names are matched as Kubernetes does: globs in each label, paths as prefixes. */
export function findEntry(
  config: DockerConfig,
  registry: string,
  repository: string,
): DockerConfigEntry | undefined {
  return config.entries.find(({ pattern }) => covers(pattern, registry, repository));
}

/** `undefined` for an entry that says nothing (what `docker login` leaves beside a helper), `null` for a broken one. */
function credentialOf(entry: unknown): Credential | undefined | null {
  if (!isRecord(entry)) return null;
  const { auth, username, password, identitytoken, registrytoken } = entry;
  if (isFilled(identitytoken)) return { kind: 'identity-token', token: new Secret(identitytoken) };
  if (isFilled(registrytoken)) return { kind: 'registry-token', token: new Secret(registrytoken) };
  if (isFilled(auth)) {
    const decoded = Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon < 1) return null;
    // Some tools fill the password up with NUL.
    const secret = decoded.slice(colon + 1).replace(/\0+$/, '');
    return { kind: 'password', username: decoded.slice(0, colon), password: new Secret(secret) };
  }
  if (isFilled(username) && typeof password === 'string') {
    return { kind: 'password', username, password: new Secret(password) };
  }
  return auth === undefined || auth === '' ? undefined : null;
}

/** Docker Hub has several names, and one of them is a URL. */
function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return HUB_NAMES.has(host) ? 'docker.io' : host;
}

function patternOf(key: string): RegistryPattern {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const written = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? '' : bare.slice(slash + 1).replace(/^v[12](?:\/|$)/, '');
  const { name, port } = splitPort(HUB_NAMES.has(written) ? 'docker.io' : written);
  const labels = name.split('.').map((label) => new RegExp(`^${globSource(label)}$`, 'i'));
  return { labels, port, path };
}

function covers({ labels, port, path }: RegistryPattern, registry: string, repository: string): boolean {
  const host = splitPort(HUB_NAMES.has(registry) ? 'docker.io' : registry);
  const parts = host.name.split('.');
  if (host.port !== port || parts.length !== labels.length) return false;
  if (!labels.every((label, index) => label.test(parts[index] ?? ''))) return false;
  return path === '' || repository === path || repository.startsWith(`${path}/`);
}

function splitPort(host: string): { name: string; port: string } {
  const match = /:(\d+)$/.exec(host);
  return match === null
    ? { name: host, port: '' }
    : { name: host.slice(0, match.index), port: match[1] ?? '' };
}

function globSource(label: string): string {
  return label.replace(/[^A-Za-z0-9-]/g, (character) =>
    character === '*' ? '.*' : character === '?' ? '.' : `\\${character}`,
  );
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** It becomes a part of the name of a program. */
function isHelper(name: unknown): boolean {
  return typeof name === 'string' && (name === '' || HELPER.test(name));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
