import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A user of the API server who logs in by a static bearer token. */
export interface TokenUser {
  readonly token: string;
  readonly name: string;
  readonly groups: readonly string[];
}

/** Of both webhook plugins of the API server. */
export interface AdmissionControl {
  /** A kubeconfig whose users, by host and port of a webhook, say how the API server identifies itself there. */
  readonly kubeConfigFile?: string;
  /** Folders of webhook configurations that are loaded from files, one kind in each; 1.37 and later. They must exist. */
  readonly validatingManifests?: string;
  readonly mutatingManifests?: string;
}

/** Where everything of one API server lies. */
export interface KubeApiserverFiles {
  readonly tokens: string;
  readonly serviceAccountPublicKey: string;
  readonly serviceAccountPrivateKey: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly admissionControl: string;
  /** The server generates its own certificate here at the first start. */
  readonly certificates: string;
  readonly certificate: string;
  readonly etcd: string;
  readonly kubeconfig: string;
  readonly kubectlCache: string;
  readonly log: string;
}

// Bodies are kept so that patches and whole objects can be asserted; Secrets and reviews of tokens only in outline.
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', users: ['system:apiserver'] },
    { level: 'None', nonResourceURLs: ['*'] },
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'Metadata', verbs: ['get', 'list', 'watch'] },
    { level: 'RequestResponse' },
  ],
};

export function kubeApiserverFiles(directory: string): KubeApiserverFiles {
  return {
    tokens: join(directory, 'tokens.csv'),
    serviceAccountPublicKey: join(directory, 'service-account.pub'),
    serviceAccountPrivateKey: join(directory, 'service-account.key'),
    auditPolicy: join(directory, 'audit-policy.json'),
    auditLog: join(directory, 'audit.log'),
    admissionControl: join(directory, 'admission-control.json'),
    certificates: join(directory, 'certificates'),
    certificate: join(directory, 'certificates', 'apiserver.crt'),
    etcd: join(directory, 'etcd'),
    kubeconfig: join(directory, 'kubeconfig.json'),
    kubectlCache: join(directory, 'kubectl-cache'),
    log: join(directory, 'kube-apiserver.log'),
  };
}

/** Writes what the server reads when it starts. */
export async function writeServerFiles(
  files: KubeApiserverFiles,
  users: readonly TokenUser[],
  admissionControl: AdmissionControl = {},
): Promise<void> {
  await mkdir(files.certificates, { recursive: true });
  const rows = users.map(({ token, name, groups }) => `${token},${name},${name},"${groups.join(',')}"\n`);
  await writeFile(files.tokens, rows.join(''), { mode: 0o600 });
  await writeFile(files.auditPolicy, JSON.stringify(AUDIT_POLICY));
  await writeFile(files.admissionControl, admissionConfiguration(admissionControl));
  if (existsSync(files.serviceAccountPrivateKey)) return;
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  await writeFile(files.serviceAccountPublicKey, publicKey);
  await writeFile(files.serviceAccountPrivateKey, privateKey, { mode: 0o600 });
}

function admissionConfiguration(options: AdmissionControl): string {
  const plugin = (name: string, staticManifestsDir: string | undefined): object => ({
    name,
    configuration: {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'WebhookAdmissionConfiguration',
      kubeConfigFile: options.kubeConfigFile,
      staticManifestsDir,
    },
  });
  return JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [
      plugin('ValidatingAdmissionWebhook', options.validatingManifests),
      plugin('MutatingAdmissionWebhook', options.mutatingManifests),
    ],
  });
}

/** What a client needs to reach an API server. */
export interface KubeconfigOptions {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

/** A kubeconfig document; JSON is YAML too. */
export function kubeconfig(options: KubeconfigOptions): string {
  const authority = Buffer.from(options.caPem).toString('base64');
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server: options.url, 'certificate-authority-data': authority } }],
    users: [{ name: 'e2e', user: { token: options.token } }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e', namespace: 'default' } }],
    'current-context': 'e2e',
  };
  return JSON.stringify(document, null, 2);
}
