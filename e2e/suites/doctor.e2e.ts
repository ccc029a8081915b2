import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Finding } from '../../packages/server/src/cluster/doctor/finding.ts';
import { neededPermissions } from '../../packages/server/src/cluster/doctor/needed-permissions.ts';
import { CUSTOM_RESOURCES } from '../../packages/server/src/policy/custom-resources/custom-resources.ts';
import { describeDefinitions } from '../../packages/server/src/policy/custom-resources/describe-definitions.ts';
import {
  createAuthority,
  issueServerCertificate,
  type Authority,
  type Identity,
  type ServerCertificateOptions,
} from '../support/certificates.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { freePorts } from '../support/free-ports.ts';
import { grantPermissions } from '../support/grant-permissions.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import {
  at,
  collectionPath,
  configMap,
  namespace,
  type KubernetesObject,
} from '../support/kubernetes-objects.ts';
import { portcullisConfig, writePolicy, writePortcullisFiles } from '../support/portcullis-config.ts';
import { startPortcullis, type Portcullis } from '../support/portcullis.ts';
import { runCommand } from '../support/run-command.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'server', 'src', 'cli', 'main.js');
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1';
const VALIDATING = `${CONFIGURATIONS}/validatingwebhookconfigurations/portcullis`;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const APPLY = { 'content-type': 'application/apply-patch+yaml' };
const DAY_MS = 86_400_000;
const PODS = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods', 'pods/ephemeralcontainers'] }];

interface Diagnosis {
  readonly code: number | null;
  readonly stderr: string;
  readonly findings: readonly Finding[];
}

describeWithKubernetes('doctor', () => {
  let kube: KubeApiserver;
  let portcullis: Portcullis;
  let authority: Authority;
  let config: string;
  let policies: string;
  let url: string;
  let caFile: string;

  function run(command: string, ...args: readonly string[]): ReturnType<typeof runCommand> {
    const env = Object.fromEntries(
      Object.keys(process.env)
        .filter((name) => name.startsWith('PORTCULLIS_'))
        .map((name) => [name, undefined]),
    );
    return runCommand(process.execPath, [MAIN, command, ...args], { env: { ...env, NO_COLOR: '1' } });
  }

  const DOCTOR = (): string[] => [
    `--config=${config}`,
    `--kubeconfig=${kube.kubeconfigPath}`,
    `--management=${portcullis.managementUrl}`,
    '--namespace=portcullis',
    '--service-account=portcullis/portcullis',
  ];

  async function doctor(...more: readonly string[]): Promise<Diagnosis> {
    const { code, stdout, stderr } = await run('doctor', ...DOCTOR(), '--output', 'json', ...more);
    return { code, stderr, findings: stdout === '' ? [] : (JSON.parse(stdout) as Finding[]) };
  }

  /** Something is wrong: exactly these findings, none of them fine. */
  async function finds(
    expected: readonly (readonly [Finding['severity'], RegExp])[],
    ...more: readonly string[]
  ): Promise<void> {
    const { code, stderr, findings } = await doctor(...more);
    const bad = findings.filter(({ severity }) => severity !== 'ok');
    const shown = JSON.stringify(bad, undefined, 1) + stderr;
    equal(bad.length, expected.length, shown);
    for (const [severity, pattern] of expected) {
      ok(
        bad.some((finding) => finding.severity === severity && pattern.test(finding.message)),
        `no ${severity} ${String(pattern)} in ${shown}`,
      );
    }
    for (const { fix } of bad) ok(fix !== undefined && fix !== '');
    equal(code, expected.some(([severity]) => severity === 'error') ? 1 : 0);
  }

  /** Changes the registration, and puts it back afterwards. */
  async function broken(
    patch: readonly object[],
    expected: readonly (readonly [Finding['severity'], RegExp])[],
  ): Promise<void> {
    const answer = await kube.request('PATCH', VALIDATING, JSON.stringify(patch), JSON_PATCH);
    equal(answer.status, 200, answer.text);
    try {
      await finds(expected);
    } finally {
      await register();
    }
  }

  /** As an operator does it without the registrar. */
  async function register(): Promise<void> {
    const printed = await run(
      'manifests',
      `--policy=${policies}`,
      `--url=${url}`,
      `--ca-file=${caFile}`,
      '--namespace=portcullis',
    );
    equal(printed.code, 0, printed.stderr);
    for (const document of printed.stdout.split('---\n')) {
      const kind = /kind: (\w+)/.exec(document)?.[1]?.toLowerCase() ?? '';
      // Whatever was there before.
      await kube.request('DELETE', `${CONFIGURATIONS}/${kind}s/portcullis`);
      const applied = await kube.kubectl(['create', '-f', '-'], document);
      equal(applied.code, 0, applied.stderr);
    }
  }

  async function create(object: object): Promise<void> {
    const answer = await kube.request('POST', collectionPath(object as KubernetesObject), object);
    equal(answer.status, 201, answer.text);
  }

  async function withServer(
    certificate: ServerCertificateOptions,
    use: (address: string) => Promise<void>,
  ): Promise<void> {
    const server = await serve(await issueServerCertificate(authority, certificate));
    try {
      await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  before(async () => {
    const directory = await createWorkDirectory('doctor');
    authority = await createAuthority();
    const files = await writePortcullisFiles(
      directory,
      await issueServerCertificate(authority, { notAfter: new Date(Date.now() + 60 * DAY_MS) }),
    );
    policies = files.policies;
    caFile = join(directory, 'ca.pem');
    await writeFile(caFile, authority.pem);
    const allow = await fixedPolicy({ allowed: true });
    const matching = { operations: ['CREATE', 'UPDATE'], resources: PODS };
    await writePolicy(policies, 'enforced', allow, { match: matching });
    await writePolicy(policies, 'watched', allow, { mode: 'audit', match: matching });
    await writePolicy(policies, 'changing', allow, { phase: 'mutate', match: matching });

    const [port = 0, managementPort = 0] = await freePorts(2);
    url = `https://127.0.0.1:${port}`;
    [kube, portcullis] = await Promise.all([
      startKubeApiserver({ directory: await createWorkDirectory('doctor-kubernetes') }),
      startPortcullis({
        directory,
        config: portcullisConfig({ files, port, managementPort }),
        managementPort,
      }),
    ]);
    config = join(directory, 'doctor.yaml');
    const registration = { enabled: true, url, caFile };
    const keys = { policies: { directories: [policies] }, kubernetes: { registration } };
    await writeFile(config, JSON.stringify(keys));

    await create(namespace('portcullis'));
    for (const definition of describeDefinitions()) {
      const name = String(at(definition, 'metadata', 'name'));
      const path = `${DEFINITIONS}/${name}?fieldManager=e2e`;
      equal((await kube.request('PATCH', path, JSON.stringify(definition), APPLY)).status, 201);
    }
    const permissions = neededPermissions({
      namespace: 'portcullis',
      registration: 'portcullis',
      lease: 'portcullis',
      customResources: CUSTOM_RESOURCES.map(({ plural }) => plural),
      readsConfigMaps: true,
      readsNamespaces: true,
    });
    for (const object of grantPermissions('system:serviceaccount:portcullis:portcullis', permissions)) {
      await create(object);
    }
    await register();
    await waitUntil(async () => (await doctor()).code === 0, { what: 'a healthy cluster', within: 60_000 });
  });

  after(async () => {
    await Promise.all([portcullis?.stop(), kube?.stop()]);
  });

  test('healthy: nothing is wrong, and it says what it looked at', async () => {
    const { code, findings } = await doctor();
    equal(code, 0);
    deepEqual(
      findings.filter(({ severity }) => severity !== 'ok'),
      [],
    );
    const checks = new Set(findings.map(({ check }) => check));
    for (const check of [
      'registration',
      'coverage',
      'endpoint',
      'certificate',
      'readiness',
      'definitions',
      'permissions',
      'exemptions',
    ] as const) {
      ok(checks.has(check), check);
    }
    const { stdout } = await run('doctor', ...DOCTOR());
    match(stdout, /^ok {5} coverage: 3 policies are asked about everything that they judge$/m);
    match(stdout, /^ok {5} exemptions: exempt namespaces: `kube-system`, `portcullis`$/m);
  });

  test('a wrong authority', async () => {
    const other = await createAuthority({ name: 'other' });
    const value = Buffer.from(other.pem).toString('base64');
    await broken(
      [{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value }],
      [['error', /certificate of .* is not trusted, as `fail\.validate\.portcullis\.dev` would/]],
    );
  });

  test('a missing rule, and a missing operation', async () => {
    await broken(
      [{ op: 'replace', path: '/webhooks/0/rules/0/resources', value: ['pods'] }],
      [['error', /^policy `enforced` is not asked about CREATE `pods\/ephemeralcontainers`, UPDATE/]],
    );
    await broken(
      [{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: ['CREATE'] }],
      [
        [
          'error',
          /^policy `enforced` is not asked about UPDATE `pods`, UPDATE `pods\/ephemeralcontainers`: /,
        ],
      ],
    );
  });

  test('a wrong path', async () => {
    await broken(
      [{ op: 'replace', path: '/webhooks/0/clientConfig/url', value: `${url}/validat` }],
      [
        ['error', /calls the path `\/validat`, which the gate does not serve/],
        ['error', /^policy `enforced` is never asked: no webhook calls `\/admission\/fail\/validate`/],
        ['error', /does not know the path `\/validat`/],
      ],
    );
  });

  test('a webhook that calls somebody else', async () => {
    await broken(
      [
        {
          op: 'replace',
          path: '/webhooks/0/clientConfig/url',
          value: 'https://10.9.9.9/admission/fail/validate',
        },
      ],
      [
        ['error', /calls https:\/\/10\.9\.9\.9 instead of https:\/\/127/],
        ['error', /^policy `enforced` is never asked/],
      ],
    );
  });

  test('audit-only policies that would block, and enforced ones that would not', async () => {
    await broken(
      [{ op: 'replace', path: '/webhooks/1/failurePolicy', value: 'Fail' }],
      [['error', /policies that never deny block requests while the server is down/]],
    );
    await broken(
      [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }],
      [['warning', /enforced policies are skipped while the server is down/]],
    );
  });

  test('a short timeout, a selector and a condition that leave requests out', async () => {
    await broken(
      [{ op: 'replace', path: '/webhooks/0/timeoutSeconds', value: 1 }],
      [
        [
          'warning',
          /API servers wait 1 s for the webhook `fail\.validate\.portcullis\.dev`, .* may take 2 s/,
        ],
      ],
    );
    const key = 'kubernetes.io/metadata.name';
    const values = ['kube-system', 'prod'];
    await broken(
      [
        {
          op: 'replace',
          path: '/webhooks/0/namespaceSelector',
          value: { matchExpressions: [{ key, operator: 'NotIn', values }] },
        },
      ],
      [['warning', /policy `enforced` .* leaves out namespaces by its selector .*prod/]],
    );
    await broken(
      [{ op: 'add', path: '/webhooks/0/matchConditions', value: [{ name: 'no', expression: 'false' }] }],
      [['warning', /policy `enforced` .* has a condition `no` that is not ours/]],
    );
  });

  test('a configuration that is gone, one that is left over, and one name twice', async () => {
    const { body } = await kube.request('GET', VALIDATING);
    const webhooks = at(body, 'webhooks');
    equal((await kube.request('DELETE', VALIDATING)).status, 200);
    await finds([
      ['error', /the webhook `fail\.validate\.portcullis\.dev` is not registered/],
      ['error', /the webhook `ignore\.validate\.portcullis\.dev` is not registered/],
      ['error', /policy `enforced` is never asked/],
      ['error', /policy `watched` is never asked/],
    ]);
    await register();
    await create({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'leftover' },
      webhooks: (webhooks as object[]).slice(0, 1),
    });
    await finds([
      ['warning', /of the configuration `leftover` calls us too/],
      ['warning', /`portcullis` and `leftover`|`leftover` and `portcullis`/],
    ]);
    equal((await kube.request('DELETE', VALIDATING.replace(/portcullis$/, 'leftover'))).status, 200);
  });

  test('certificates: expired, soon, for another name; and nobody there', async () => {
    const now = Date.now();
    const dates = (from: number, to: number): ServerCertificateOptions => ({
      notBefore: new Date(now + from * DAY_MS),
      notAfter: new Date(now + to * DAY_MS),
    });
    await withServer(dates(-9, -2), (address) =>
      finds([['error', /certificate of .* expired on \d{4}-/]], '--connect', address),
    );
    await withServer(dates(-1, 5.5), (address) =>
      finds([['warning', /expires in 5 days/]], '--connect', address),
    );
    await withServer(
      { ...dates(-1, 90), ipAddresses: ['10.0.0.1'], dnsNames: ['other.example'] },
      (address) =>
        finds([['error', /is not for `127\.0\.0\.1` but for .*other\.example/]], '--connect', address),
    );
    const [port = 0] = await freePorts(1);
    await finds([['error', /cannot be reached.*ECONNREFUSED/]], '--connect', `127.0.0.1:${port}`);
  });

  test('definitions: missing, and of another version', async () => {
    const [first] = describeDefinitions();
    const path = `${DEFINITIONS}/${String(at(first, 'metadata', 'name'))}`;
    const schema = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/description';
    const patch = [{ op: 'add', path: schema, value: 'older' }];
    equal((await kube.request('PATCH', path, JSON.stringify(patch), JSON_PATCH)).status, 200);
    await finds([['warning', /schema of `policies\.portcullis\.dev` in version `v1` is not the one/]]);
    equal((await kube.request('DELETE', path)).status, 200);
    await waitUntil(async () => (await kube.request('GET', path)).status === 404, { what: 'it to go' });
    await finds([['error', /custom resource definition `policies\.portcullis\.dev` is missing/]]);
    equal(
      (await kube.request('PATCH', `${path}?fieldManager=e2e`, JSON.stringify(first), APPLY)).status,
      201,
    );
    await waitUntil(async () => (await doctor()).code === 0, { what: 'it to be established' });
  });

  test('permissions that are missing', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/portcullis/rolebindings/granted';
    const binding = (await kube.request('GET', path)).body as KubernetesObject;
    equal((await kube.request('DELETE', path)).status, 200);
    const { code, findings } = await doctor();
    equal(code, 1);
    const errors = findings.filter(({ severity }) => severity === 'error');
    ok(errors.every(({ check }) => check === 'permissions'));
    ok(
      errors.some(
        ({ message }) =>
          message ===
          'not allowed: update leases.coordination.k8s.io `portcullis` in `portcullis`, needed to agree with the other replicas who writes',
      ),
    );
    ok(errors.some(({ message }) => /watch configmaps `portcullis-off` in `portcullis`/.test(message)));
    const { resourceVersion: _, uid: __, ...metadata } = binding.metadata as Record<string, string>;
    await create({ ...binding, metadata });
  });

  test('the switch', async () => {
    const path = '/api/v1/namespaces/portcullis/configmaps';
    await create(configMap({ namespace: 'portcullis', name: 'portcullis-off' }, {}));
    await finds([['warning', /Portcullis is switched off/]]);
    equal((await kube.request('DELETE', `${path}/portcullis-off`)).status, 200);
  });

  test('a policy that nobody asks', async () => {
    await writePolicy(policies, 'exempt', await fixedPolicy({ allowed: true }), {
      match: { resources: PODS, namespaces: ['kube-system'] },
    });
    await finds([['warning', /policy `exempt` is never asked: it judges only `kube-system`/]]);
  });

  test('it could not look', async () => {
    const missing = await run('doctor', '--config', config, '--kubeconfig', '/nowhere');
    equal(missing.code, 2);
    match(missing.stderr, /PC_KUBE_CONFIG/);
    const bad = await run('doctor', ...DOCTOR(), '--connect', 'nowhere');
    equal(bad.code, 2);
    match(bad.stderr, /write host:port/);
  });
});

/** Answers every path as the gate answers a request without a body. */
async function serve(identity: Identity): Promise<Server> {
  const server = createServer(
    { cert: identity.certificatePem, key: identity.keyPem },
    (_incoming, outgoing) => void outgoing.writeHead(400).end(),
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  return server;
}
