import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { readAuditLog, type AuditEvent } from './audit-log.ts';
import { startChildProcess, tail, type ChildProcess, type Exit } from './child-process.ts';
import { kubeApiserverBinary, kubectlBinary, type KubernetesVersion } from './components.ts';
import { freePorts } from './free-ports.ts';
import { createHttpsClient, type HttpsClient } from './https-client.ts';
import { kubeApiserverFiles, kubeconfig, writeServerFiles } from './kube-apiserver-files.ts';
import type { AdmissionControl, KubeApiserverFiles, TokenUser } from './kube-apiserver-files.ts';
import { runCommand, type CommandResult } from './run-command.ts';
import { waitUntil } from './wait-until.ts';

export interface KubeApiserverOptions {
  /** A folder of its own for data, logs and generated files. */
  readonly directory: string;
  /** Default 1.36. */
  readonly version?: KubernetesVersion;
  /** Flags without dashes, added to the defaults or in place of them; `undefined` removes a default. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  /** Users besides the administrator. */
  readonly users?: readonly TokenUser[];
  /** How it reaches webhooks, and webhooks that it loads from files. */
  readonly admissionControl?: AdmissionControl;
  /** Milliseconds until the start counts as failed; default 120 000. */
  readonly readyWithin?: number;
}

export interface KubeApiserver {
  readonly url: string;
  readonly port: number;
  /** The authority that clients trust. */
  readonly caPem: string;
  /** Bearer token of the administrator (`admin`, group `system:masters`). */
  readonly token: string;
  readonly files: KubeApiserverFiles;
  readonly kubeconfigPath: string;
  /** A request of the administrator; `authorization` in the headers makes it somebody else's. */
  readonly request: HttpsClient['request'];
  /** kubectl as the administrator (`--as` and `--token` change that). A failure is a result, not an exception. */
  kubectl(args: readonly string[], stdin?: string): Promise<CommandResult>;
  /** All audit events so far, oldest first. An event is written just after its response: poll. */
  auditEvents(): AuditEvent[];
  logs(): string;
  /** Ends it in order, and drops the data. */
  stop(): Promise<Exit>;
  /** Ends it in order; the data stays for `restart`. */
  halt(): Promise<Exit>;
  /** SIGKILL; the data stays for `restart`. */
  kill(): Promise<Exit>;
  /** Starts it again on the same ports with the same data; stops it before if it runs. */
  restart(): Promise<void>;
  /**
   * Puts another server in its place: same ports, certificate, users and keys, but no data, and resource versions that begin
   * anew. Tokens of service accounts are void until the accounts are made again, and then new ones are needed.
   */
  replace(): Promise<void>;
}

interface Plan {
  readonly files: KubeApiserverFiles;
  readonly ports: { readonly secure: number; readonly client: number; readonly peer: number };
  readonly token: string;
  readonly options: KubeApiserverOptions;
}

/** Starts a real API server with its own empty etcd at 127.0.0.1 and waits until it serves. */
export async function startKubeApiserver(options: KubeApiserverOptions): Promise<KubeApiserver> {
  const [secure = 0, client = 0, peer = 0] = await freePorts(3);
  const token = randomBytes(16).toString('hex');
  const files = kubeApiserverFiles(options.directory);
  const plan = { files, ports: { secure, client, peer }, token, options };
  const adminUser = { token, name: 'admin', groups: ['system:masters'] };
  await writeServerFiles(files, [adminUser, ...(options.users ?? [])], options.admissionControl);

  const url = `https://127.0.0.1:${secure}`;
  let child = await launch(plan);
  const caPem = readFileSync(files.certificate, 'utf8');
  await writeFile(files.kubeconfig, kubeconfig({ url, caPem, token }), { mode: 0o600 });
  let admin = createHttpsClient({ url, caPem, token });
  const halt = (): Promise<Exit> => {
    admin.close();
    return child.stop();
  };
  const start = async (): Promise<void> => {
    child = await launch(plan);
    admin = createHttpsClient({ url, caPem, token });
  };
  const dropData = (): Promise<void> => rm(files.etcd, { recursive: true, force: true });
  return {
    url,
    port: secure,
    caPem,
    token,
    files,
    kubeconfigPath: files.kubeconfig,
    request: (...parameters) => admin.request(...parameters),
    kubectl: (args, stdin) =>
      runCommand(kubectlBinary(), args, {
        env: { KUBECONFIG: files.kubeconfig, KUBECACHEDIR: files.kubectlCache, KUBERC: 'off' },
        ...(stdin === undefined ? {} : { stdin }),
      }),
    auditEvents: () => readAuditLog(files.auditLog),
    logs: () => child.logs(),
    stop: async () => {
      const exit = await halt();
      await dropData();
      return exit;
    },
    halt,
    kill: () => child.kill(),
    restart: async () => {
      await halt();
      await start();
    },
    replace: async () => {
      await halt();
      await dropData();
      await start();
    },
  };
}

async function launch(plan: Plan): Promise<ChildProcess> {
  const { files, ports, options } = plan;
  const child = await startChildProcess({
    command: kubeApiserverBinary(options.version ?? '1.36'),
    args: flags(plan),
    env: {
      E2E_ETCD_DIR: files.etcd,
      E2E_ETCD_CLIENT: `http://127.0.0.1:${ports.client}`,
      E2E_ETCD_PEER: `http://127.0.0.1:${ports.peer}`,
      E2E_EXIT_WITH_STDIN: '1',
    },
    logFile: files.log,
  });
  try {
    await ready(plan, child);
  } catch (error) {
    await child.kill();
    throw new Error(`kube-apiserver did not become ready; the end of its log:\n${tail(child.logs())}`, {
      cause: error,
    });
  }
  return child;
}

async function ready(plan: Plan, child: ChildProcess): Promise<void> {
  const { files, ports, token, options } = plan;
  const within = options.readyWithin ?? 120_000;
  const what = 'kube-apiserver to be ready';
  const url = `https://127.0.0.1:${ports.secure}`;
  await waitUntil(() => existsSync(files.certificate) || child.exit() !== undefined, { what, within });
  const outcome = await waitUntil(
    async () => {
      const exit = child.exit();
      if (exit !== undefined) return exit;
      const client = createHttpsClient({ url, caPem: readFileSync(files.certificate, 'utf8'), token });
      try {
        // The namespace is made by a controller in the server, which readiness does not wait for.
        const { status } = await client.request('GET', '/readyz');
        return status === 200 && (await client.request('GET', '/api/v1/namespaces/default')).status === 200;
      } finally {
        client.close();
      }
    },
    { what, within },
  );
  if (outcome !== true) throw new Error(`it ended with ${outcome.signal ?? `exit code ${outcome.code}`}`);
}

function flags({ files, ports, options }: Plan): string[] {
  const all: Record<string, string | undefined> = {
    'etcd-servers': `http://127.0.0.1:${ports.client}`,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': String(ports.secure),
    'cert-dir': files.certificates,
    // A loopback address cannot be an endpoint of the service `kubernetes`.
    'endpoint-reconciler-type': 'none',
    'service-cluster-ip-range': '10.0.0.0/24',
    'allow-privileged': 'true',
    'authorization-mode': 'RBAC',
    'token-auth-file': files.tokens,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': files.serviceAccountPublicKey,
    'service-account-signing-key-file': files.serviceAccountPrivateKey,
    // No controller makes the default service accounts that this plugin wants.
    'disable-admission-plugins': 'ServiceAccount',
    'audit-policy-file': files.auditPolicy,
    'audit-log-path': files.auditLog,
    'admission-control-config-file': options.admissionControl && files.admissionControl,
    ...options.flags,
  };
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}
