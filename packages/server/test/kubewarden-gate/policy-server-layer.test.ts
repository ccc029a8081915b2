import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPlain } from '../../src/app/config/config.ts';
import { loadConfig, type LoadedConfig } from '../../src/app/config/load-config.ts';
import { POLICY_SERVER_FLAGS } from '../../src/app/config/policy-server-flags.ts';
import { isFault, type Fault } from '../../src/kernel/fault.ts';

type Environment = Readonly<Record<string, string>>;

function load(
  environment: Environment,
  flags?: Readonly<Record<string, string>>,
): Promise<LoadedConfig | Fault> {
  return loadConfig({
    policies: [],
    options: new Map(),
    environment,
    workingDirectory: '/nowhere/at/all',
    development: false,
    cores: 2,
    terminal: false,
    ...(flags === undefined ? {} : { policyServer: new Map(Object.entries(flags)) }),
  });
}

async function loaded(
  environment: Environment,
  flags?: Readonly<Record<string, string>>,
): Promise<LoadedConfig> {
  const result = await load(environment, flags);
  assert.ok(!isFault(result), isFault(result) ? result.message : '');
  return result;
}

/** As kubewarden-controller sets them in the pod of a PolicyServer. */
const CONTROLLER = {
  KUBEWARDEN_CERT_FILE: '/pki/tls.crt',
  KUBEWARDEN_KEY_FILE: '/pki/tls.key',
  KUBEWARDEN_PORT: '8443',
  KUBEWARDEN_READINESS_PROBE_PORT: '8081',
  KUBEWARDEN_POLICIES: '/config/policies.yml',
  KUBEWARDEN_POLICIES_DOWNLOAD_DIR: '/tmp/',
  KUBEWARDEN_SIGSTORE_CACHE_DIR: '/tmp/sigstore-data',
  KUBEWARDEN_ALWAYS_ACCEPT_ADMISSION_REVIEWS_ON_NAMESPACE: 'kubewarden',
  KUBEWARDEN_LOG_LEVEL: 'info',
};

test('the variables of the controller make `serve` a policy-server', async () => {
  const { config, warnings } = await loaded(CONTROLLER);
  assert.deepEqual(warnings, []);
  assert.equal(config.serving.host, '0.0.0.0');
  assert.equal(config.serving.port, 8443);
  assert.equal(config.serving.tls.certFile, '/pki/tls.crt');
  assert.equal(config.serving.tls.keyFile, '/pki/tls.key');
  assert.equal(config.dataDirectory, '/tmp');
  assert.equal(config.sources.cache.directory, '/tmp/modules');
  assert.deepEqual(config.kubewarden, {
    policiesFile: '/config/policies.yml',
    policyTimeout: 2000,
    monitorWarnings: false,
    plainHttp: true,
    acceptNamespace: 'kubewarden',
    readinessPort: 8081,
  });
  // Its modules come from wherever its file says.
  assert.equal(config.sources.url.allowWithoutDigest, true);
  assert.equal(config.sources.oci.allowPrivate, true);
});

test('without them nothing of it is in force, not even beside a Service called `kubewarden`', async () => {
  const { config } = await loaded({
    KUBEWARDEN_PORT: 'tcp://10.0.0.1:443',
    KUBEWARDEN_SERVICE_HOST: '10.0.0.1',
    PORTCULLIS_SERVING_TLS_CERT_FILE: '/c',
  });
  assert.equal(config.serving.port, 8443);
  assert.equal(config.kubewarden.policiesFile, undefined);
  assert.equal(config.kubewarden.readinessPort, undefined);
  assert.equal(config.sources.url.allowWithoutDigest, false);
});

test('a service link is not its port', async () => {
  const { config } = await loaded({ ...CONTROLLER, KUBEWARDEN_PORT: 'tcp://10.0.0.1:443' });
  assert.equal(config.serving.port, 3000);
});

test('the flags, with its defaults where nothing is said', async () => {
  const { config } = await loaded(
    {},
    {
      '--cert-file': 'tls.crt',
      '--key-file': 'tls.key',
      '--workers': '3',
      '--policy-timeout': '7',
      '--log-level': 'trace',
    },
  );
  assert.equal(config.serving.port, 3000);
  assert.equal(config.serving.threads, 3);
  assert.equal(config.serving.tls.certFile, '/nowhere/at/all/tls.crt');
  assert.equal(config.kubewarden.policiesFile, '/nowhere/at/all/policies.yml');
  assert.equal(config.kubewarden.readinessPort, 8081);
  assert.equal(config.kubewarden.policyTimeout, 7000);
  assert.equal(config.log.level, 'debug');
});

test('flags win over variables, and what is said in our words over both', async () => {
  const { config } = await loaded(
    { ...CONTROLLER, PORTCULLIS_SERVING_THREADS: '1' },
    { '--port': '9443', '--workers': '8' },
  );
  assert.equal(config.serving.port, 9443);
  assert.equal(config.serving.threads, 1);
});

test('authorities of clients mean that they must show a certificate; there may be several files', async () => {
  for (const [given, files] of [
    ['/ca.crt', ['/ca.crt']],
    ['/a.crt, b.crt', ['/a.crt', '/nowhere/at/all/b.crt']],
  ] as const) {
    const { config } = await loaded({ ...CONTROLLER, KUBEWARDEN_CLIENT_CA_FILE: given });
    assert.deepEqual(config.serving.tls.clientCaFiles, files);
    assert.equal(config.serving.tls.requireClientCert, true);
  }
  const empty = await load({ ...CONTROLLER, KUBEWARDEN_CLIENT_CA_FILE: '/a.crt,' });
  assert.match(isFault(empty) ? empty.message : '', /KUBEWARDEN_CLIENT_CA_FILE/);
});

test('without a certificate it speaks plain HTTP, as the policy-server does; a half of one is refused', async () => {
  const { KUBEWARDEN_CERT_FILE: _cert, KUBEWARDEN_KEY_FILE: _key, ...plain } = CONTROLLER;
  const { config } = await loaded(plain);
  assert.equal(isPlain(config), true);
  assert.equal(isPlain((await loaded(CONTROLLER)).config), false);
  assert.equal(isPlain((await loaded({ ...plain, PORTCULLIS_SERVING_TLS_CERT_FILE: '/c' })).config), false);
  for (const [more, message] of [
    [{ KUBEWARDEN_KEY_FILE: '/tls.key' }, /`serving\.tls\.keyFile` needs `serving\.tls\.certFile`/],
    [{ KUBEWARDEN_CLIENT_CA_FILE: '/ca.crt' }, /`serving\.tls\.clientCaFile` needs `serving\.tls\.certFile`/],
    [
      { PORTCULLIS_SERVING_TLS_REQUIRE_CLIENT_CERT: 'true' },
      /requireClientCert` needs `serving\.tls\.certFile`/,
    ],
    [{ PORTCULLIS_KUBERNETES_REGISTRATION_ENABLED: 'true' }, /API servers call no webhook without TLS/],
  ] as const) {
    const refused = await load({ ...plain, ...more });
    assert.match(isFault(refused) ? refused.message : '', message);
  }
});

test('weakness 3: where signatures are to be checked, nothing is loaded unchecked', async () => {
  const refused = await load({ ...CONTROLLER, KUBEWARDEN_VERIFICATION_CONFIG_PATH: '/verification.yml' });
  assert.ok(isFault(refused));
  assert.equal(refused.code, 'PC_CONFIG_VALUE');
  assert.match(refused.message, /^variable KUBEWARDEN_VERIFICATION_CONFIG_PATH: /);
});

test('weakness 8: without its protection the time of policies is still bounded', async () => {
  const { config, warnings } = await loaded({ ...CONTROLLER, KUBEWARDEN_DISABLE_TIMEOUT_PROTECTION: 'true' });
  assert.equal(config.kubewarden.policyTimeout, 30_000);
  assert.equal(warnings.length, 1);
  const longer = await loaded({ ...CONTROLLER, KUBEWARDEN_POLICY_TIMEOUT: '600' });
  assert.equal(longer.config.kubewarden.policyTimeout, 30_000);
});

test('a switch that is off is off, and a value that is none is refused by its name', async () => {
  const { warnings } = await loaded({ ...CONTROLLER, KUBEWARDEN_ENABLE_METRICS: 'false' });
  assert.deepEqual(warnings, []);
  const refused = await load({ ...CONTROLLER, KUBEWARDEN_WORKERS: 'many' });
  assert.equal(
    isFault(refused) && refused.message,
    'variable KUBEWARDEN_WORKERS: `serving.threads` must be a number, not `many`',
  );
});

test('every flag has a variable of its own, and each key that one sets exists', async () => {
  const variables = POLICY_SERVER_FLAGS.map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
  for (const { variable, value, does } of POLICY_SERVER_FLAGS) {
    const sample = value === undefined ? 'true' : '1';
    const result = await load({ ...CONTROLLER, [variable]: sample });
    if (typeof does === 'object' && 'refuse' in does) assert.ok(isFault(result), variable);
    else if (isFault(result)) assert.match(result.message, new RegExp(variable));
  }
});

test('in a pod its account answers policies that read the cluster, and nothing else of a cluster is touched', async () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const { enabled, resources, configMaps, secrets, namespaceLabels, registration } = (
    await loaded({ ...CONTROLLER, ...pod })
  ).config.kubernetes;
  assert.deepEqual(
    { enabled, resources, configMaps, secrets, namespaceLabels, registers: registration.enabled },
    {
      enabled: true,
      resources: false,
      configMaps: '',
      secrets: '',
      namespaceLabels: false,
      registers: false,
    },
  );
  assert.equal((await loaded(CONTROLLER)).config.kubernetes.enabled, false);
  const off = await loaded({ ...CONTROLLER, ...pod, PORTCULLIS_KUBERNETES_ENABLED: 'false' });
  assert.equal(off.config.kubernetes.enabled, false);
});

async function withSources(
  text: string,
  files: Readonly<Record<string, string>> = {},
): Promise<LoadedConfig | Fault> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-sources-'));
  try {
    for (const [name, content] of Object.entries({ 'sources.yml': text, ...files }))
      await writeFile(join(folder, name), content.replaceAll('FOLDER', folder));
    return await load({ ...CONTROLLER, KUBEWARDEN_SOURCES_PATH: join(folder, 'sources.yml') });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('its sources: registries without TLS, and authorities of hosts, as files or as they are', async () => {
  const read = await withSources(
    `insecure_sources: ['registry.test:5000', 'own.test']
source_authorities:
  own.test:
    - {type: Path, path: FOLDER/ca.pem}
    - {type: Data, data: "second\\n"}
  other.test:
    - {type: Data, data: second}
`,
    { 'ca.pem': 'first\n' },
  );
  assert.ok(!isFault(read), isFault(read) ? read.message : '');
  const { oci, url } = read.config.sources;
  assert.deepEqual(oci.plainHttp, ['registry.test:5000']);
  assert.deepEqual([oci.ca, url.ca], ['first\nsecond', 'first\nsecond']);
  assert.deepEqual(
    read.warnings.map((warning) => /`registry\.test:5000`: spoken to without TLS/.test(warning)),
    [true],
  );
});

test('sources that cannot be used are refused with the place', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['insecure: [a]', /sources\.yml`: : Unrecognized key/],
    ['source_authorities: {a: [{type: Path}]}', /source_authorities\.a\.0\.path: /],
    [
      'source_authorities: {a: [{type: Path, path: /no/such.pem}]}',
      /authority of `a`, `\/no\/such\.pem`: ENOENT/,
    ],
    ['a: [', /sources\.yml`: /],
    ['insecure_sources: ["http://a/b"]', /sources\.oci\.plainHttp/],
  ];
  for (const [text, expected] of cases) {
    const refused = await withSources(text);
    assert.ok(isFault(refused), text);
    assert.match(refused.message, /^variable KUBEWARDEN_SOURCES_PATH/);
    assert.match(refused.message, expected);
  }
  const empty = await withSources('');
  assert.ok(!isFault(empty));
  assert.deepEqual([empty.config.sources.oci.plainHttp, empty.warnings], [[], []]);
});
