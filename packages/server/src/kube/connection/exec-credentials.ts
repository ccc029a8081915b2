import { Fault, isFault } from '../../kernel/fault.ts';
import { Secret } from '../../kernel/secret.ts';
import type { CommandOutcome, KubeHost } from '../kube-host.ts';
import { isRecord } from '../kube-object.ts';
import type { ExecPlugin } from './connection-settings.ts';

/** What a plugin gave us. */
export interface ExecCredential {
  readonly token?: Secret;
  readonly certificate?: { readonly cert: string; readonly key: Secret };
}

/** Of the cluster as it is told to the plugin; its own names (client.authentication.k8s.io/v1, kind Cluster). */
export type ExecCluster = Readonly<Record<string, unknown>>;

/** Credentials of an exec plugin, kept until they expire. */
export interface ExecCredentials {
  /** `fresh` runs the plugin even when its last answer has not expired. */
  read(fresh?: boolean): Promise<ExecCredential | Fault>;
}

/** Milliseconds. A plugin may ask a far server; nobody is there to wait for a password. */
const TIMEOUT = 60_000;
/** After a refused credential, and after a plugin that failed: a pause between runs. */
const MIN_PERIOD = 5000;

export function createExecCredentials(
  host: KubeHost,
  plugin: ExecPlugin,
  cluster: () => Promise<ExecCluster | Fault>,
): ExecCredentials {
  let last:
    { readonly answer: ExecCredential | Fault; readonly at: number; readonly expires: number } | undefined;
  let running: Promise<ExecCredential | Fault> | undefined;

  async function run(): Promise<ExecCredential | Fault> {
    const found = await runPlugin(host, plugin, cluster);
    const at = host.clock.now();
    const answer = isFault(found) ? found : found.credential;
    // On the monotonic axis, so that a clock that jumps later does not matter.
    const expires = isFault(found) ? at : at + (found.expiration ?? Infinity) - host.clock.wall();
    last = { answer, at, expires };
    return answer;
  }

  return {
    read(fresh = false) {
      if (last !== undefined) {
        const now = host.clock.now();
        const isUsable = now < last.expires && !fresh;
        if (isUsable || now - last.at < MIN_PERIOD) return Promise.resolve(last.answer);
      }
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

interface PluginAnswer {
  readonly credential: ExecCredential;
  /** Milliseconds since 1970. */
  readonly expiration: number | undefined;
}

async function runPlugin(
  host: KubeHost,
  plugin: ExecPlugin,
  cluster: () => Promise<ExecCluster | Fault>,
): Promise<PluginAnswer | Fault> {
  const { apiVersion, command, args, env, provideClusterInfo } = plugin;
  const known = provideClusterInfo ? await cluster() : undefined;
  if (isFault(known)) return known;
  const spec = { interactive: false, ...(known === undefined ? {} : { cluster: known }) };
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  let outcome: CommandOutcome;
  try {
    outcome = await host.runCommand({
      command,
      args,
      env: { ...env, KUBERNETES_EXEC_INFO: info },
      timeout: TIMEOUT,
    });
  } catch (error) {
    const reason =
      isRecord(error) && error['code'] === 'ENOENT' ? 'there is no such command' : 'it cannot be run';
    const hint = plugin.installHint === undefined ? '' : ` (${plugin.installHint.trim()})`;
    return failed(plugin, `${reason}${hint}`, error);
  }
  // Its texts are not shown: they may hold the credential.
  if (outcome.code !== 0)
    return failed(plugin, `it ended with ${outcome.code ?? 'a signal, or took too long'}`);
  return parseExecCredential(plugin, outcome.stdout);
}

function parseExecCredential(plugin: ExecPlugin, text: string): PluginAnswer | Fault {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return failed(plugin, 'its output is not JSON');
  }
  if (
    !isRecord(parsed) ||
    parsed['kind'] !== 'ExecCredential' ||
    parsed['apiVersion'] !== plugin.apiVersion
  ) {
    return failed(plugin, `its output is no ExecCredential of \`${plugin.apiVersion}\``);
  }
  const status = isRecord(parsed['status']) ? parsed['status'] : {};
  const token = stringOf(status['token']);
  const cert = stringOf(status['clientCertificateData']);
  const key = stringOf(status['clientKeyData']);
  if ((cert === undefined) !== (key === undefined)) {
    return failed(plugin, 'its output has only one of `clientCertificateData` and `clientKeyData`');
  }
  if (token === undefined && cert === undefined)
    return failed(plugin, 'its output has neither token nor certificate');
  const expiration = stringOf(status['expirationTimestamp']);
  const expires = expiration === undefined ? undefined : Date.parse(expiration);
  if (Number.isNaN(expires)) return failed(plugin, 'its `expirationTimestamp` is not a time');
  return {
    credential: {
      ...(token === undefined ? {} : { token: new Secret(token) }),
      ...(cert === undefined || key === undefined ? {} : { certificate: { cert, key: new Secret(key) } }),
    },
    expiration: expires,
  };
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function failed({ command }: ExecPlugin, reason: string, cause?: unknown): Fault {
  return new Fault('PC_KUBE_CREDENTIALS', `the exec plugin \`${command}\` gave no credentials: ${reason}`, {
    cause,
  });
}
