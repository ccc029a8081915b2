import { deepEqual, equal, notDeepEqual, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { configKeys, type ConfigKey } from '../../src/app/config/config-keys.ts';
import type { Config } from '../../src/app/config/config.ts';
import { loadConfig, type ConfigInput, type LoadedConfig } from '../../src/app/config/load-config.ts';
import { redactConfig } from '../../src/app/config/redact-config.ts';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { workDirectory } from './support/certificates.ts';

interface Given {
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly policies?: readonly string[];
  readonly development?: boolean;
}

describe('configuration', () => {
  async function load(given: Given): Promise<LoadedConfig | Fault> {
    const workingDirectory = await workDirectory();
    if (given.file !== undefined) await writeFile(join(workingDirectory, 'portcullis.yaml'), given.file);
    const input: ConfigInput = {
      development: given.development ?? true,
      cores: 3,
      terminal: false,
      policies: given.policies ?? [],
      options: new Map(Object.entries(given.options ?? {})),
      environment: given.environment ?? {},
      workingDirectory,
    };
    return loadConfig(input);
  }

  async function accepted(given: Given): Promise<Config> {
    const loaded = await load(given);
    ok(!isFault(loaded), isFault(loaded) ? loaded.message : '');
    return loaded.config;
  }

  async function refused(given: Given): Promise<readonly [string, string]> {
    const loaded = await load(given);
    ok(isFault(loaded));
    return [loaded.code, loaded.message];
  }

  test('defaults', async () => {
    const config = await accepted({ development: false, options: { '--cert-path': '/tls.pem' } });
    const { host, port, threads, maxBodyBytes, keepAliveTimeout, drainDelay, tls } = config.serving;
    deepEqual(
      [host, port, threads, maxBodyBytes, keepAliveTimeout, drainDelay, tls.minVersion],
      ['0.0.0.0', 8443, 3, 7 * 1024 * 1024, 100_000, 5000, 'TLSv1.3'],
    );
    deepEqual([config.management.host, config.management.port], ['127.0.0.1', 8080]);
    const development = await accepted({});
    deepEqual([development.serving.host, development.serving.drainDelay], ['127.0.0.1', 0]);
  });

  test('option over variable over file over default', async () => {
    const file = 'serving: { port: 1, threads: 1, host: 127.0.0.1 }\nlog: { level: error }\n';
    const environment = { PORTCULLIS_SERVING_PORT: '2', PORTCULLIS_SERVING_THREADS: '2', LOG_LEVEL: 'warn' };
    const options = { '--port': '3' };
    const { serving, log } = await accepted({ file, environment, options });
    deepEqual([serving.port, serving.threads, serving.host, log.level], [3, 2, '127.0.0.1', 'warn']);
  });

  test('every key can be set by its variable', async () => {
    // What some keys need beside them.
    const needed = {
      PORTCULLIS_SERVING_TLS_CERT_FILE: '/c',
      PORTCULLIS_SERVING_TLS_CLIENT_CA_FILE: '/ca',
      PORTCULLIS_MANAGEMENT_TLS_CERT_FILE: '/c',
    };
    const tokensFile = join(await workDirectory(), 'tokens');
    await writeFile(tokensFile, '[]');
    const special: Readonly<Record<string, string>> = {
      'serving.tls.minVersion': 'TLSv1.2',
      'log.level': 'debug',
      'log.format': 'pretty',
      'serving.tls.clientCaFile': '/other',
      'serving.tls.certFile': '/other',
      'management.tls.certFile': '/other',
      'management.host': '127.0.0.9',
      'management.tokens': `[{name: n, role: viewer, sha256: ${'a'.repeat(64)}}]`,
      'management.tokensFile': tokensFile,
      'kubewarden.policyTimeout': '3s',
      'capabilities.ociTtl': '3m',
      'sources.oci.refresh': '1m',
      'sources.oci.plainHttp': 'registry.test:5000',
      'sources.oci.mirrors': '[{registry: ghcr.io, endpoints: ["https://mirror.test/ghcr"]}]',
      namespaces: '{a: {labels: {team: x}}}',
      'telemetry.otlp.endpoint': 'http://localhost:4318/v1/traces',
      'telemetry.otlp.headers': '{a: b}',
      'telemetry.otlp.sampleRatio': '0.5',
    };
    const before = await accepted({ environment: needed });
    for (const key of configKeys()) {
      const text = special[key.name] ?? sampleText(key);
      const config = await accepted({ environment: { ...needed, [key.variable]: text } });
      notDeepEqual(valueAt(config, key), valueAt(before, key), key.name);
    }
  });

  test('every key has a description and a unique variable', () => {
    const keys = configKeys();
    equal(new Set(keys.map(({ variable }) => variable)).size, keys.length);
    deepEqual(
      keys.filter(({ description }) => description === ''),
      [],
    );
  });

  test('relative paths start from where they were written', async () => {
    const folder = await workDirectory();
    const path = join(folder, 'conf.yaml');
    await writeFile(path, 'policies: { directories: [a, /b] }\nserving: { tls: { certFile: c.pem } }\n');
    const loaded = await loadConfig({
      file: path,
      development: false,
      cores: 1,
      terminal: false,
      policies: ['more'],
      options: new Map([['--key-path', 'k.pem']]),
      environment: { PORTCULLIS_POLICIES_FILES: 'x.yaml' },
      workingDirectory: '/work-here',
    });
    ok(!isFault(loaded));
    const { policies, serving } = loaded.config;
    deepEqual(policies.directories, [join(folder, 'a'), '/b', '/work-here/more']);
    deepEqual(policies.files, ['/work-here/x.yaml']);
    deepEqual([serving.tls.certFile, serving.tls.keyFile], [join(folder, 'c.pem'), '/work-here/k.pem']);
  });

  test('the options of the plugin reference', async () => {
    const { serving, policies } = await accepted({
      options: {
        '--bind': '127.0.0.2:9000',
        '--webhook-cert': '/c',
        '--webhook-key': '/k',
        '--plugin-config': '/p.yaml',
      },
    });
    deepEqual(
      [serving.host, serving.port, serving.tls.certFile, serving.tls.keyFile, policies.pluginsFile],
      ['127.0.0.2', 9000, '/c', '/k', '/p.yaml'],
    );
    const { serving: six } = await accepted({ environment: { WEBHOOK_BIND: '[::1]:9001' } });
    deepEqual([six.host, six.port], ['::1', 9001]);
    deepEqual(await refused({ options: { '--bind': 'here' } }), [
      'PC_CONFIG_VALUE',
      'option --bind: `serving.port` must be a number, not `here`',
    ]);
  });

  test('unknown keys and bad values are named with file, line and key, all at once', async () => {
    const file = `serving:
  prot: 1
  keepAliveTimeout: 5s
  tls:
    minVersion: TLSv1.1
managment: {}
management:
  tokens:
    - name: ci
      role: king
      sha256: secret-token
log: 5
directories: [a]
`;
    const [code, message] = await refused({
      file,
      environment: { PORTCULLIS_SERVING_MAX_BODY_BYTES: 'much' },
      options: { '--threads': '0' },
    });
    equal(code, 'PC_CONFIG_KEY');
    deepEqual(message.split('\n').sort(), [
      'option --threads: `serving.threads` must be at least 1, not `0`',
      'portcullis.yaml:10: `management.tokens.0.role` must be `viewer` or `editor` or `admin`',
      'portcullis.yaml:11: `management.tokens.0.sha256` must be 64 lower-case hex digits: `printf %s TOKEN | sha256sum`',
      'portcullis.yaml:12: `log` must be a mapping, not `5`',
      'portcullis.yaml:13: unknown key `directories`; did you mean `policies.directories`?',
      'portcullis.yaml:2: unknown key `serving.prot`; did you mean `serving.port`?',
      'portcullis.yaml:3: `serving.keepAliveTimeout` must be between 95000 ms and 3600000 ms, not `5s`',
      'portcullis.yaml:5: `serving.tls.minVersion` must be `TLSv1.3` or `TLSv1.2`, not `TLSv1.1`',
      'portcullis.yaml:6: unknown key `managment`; did you mean `management`?',
      'variable PORTCULLIS_SERVING_MAX_BODY_BYTES: `serving.maxBodyBytes` cannot be used: `much` is not a size such as `16Mi`, `500k` or a number of bytes',
    ]);
  });

  test('text that is no YAML, or no mapping', async () => {
    const [code, message] = await refused({ file: 'a: 1\nb: [\n' });
    equal(code, 'PC_CONFIG_SYNTAX');
    ok(message.startsWith('portcullis.yaml:3: '), message);
    deepEqual(await refused({ file: '- a' }), [
      'PC_CONFIG_SYNTAX',
      'portcullis.yaml:1: the configuration must be a mapping of keys',
    ]);
    equal((await accepted({ file: 'serving:\nlog:\n' })).serving.port, 8443);
  });

  test('unsafe combinations do not start', async () => {
    const problem = async (file: string): Promise<string> => (await refused({ development: false, file }))[1];
    equal(
      await problem('{}'),
      '`serving.tls.certFile` is missing: name a certificate, or start with `--development` for a self-signed one',
    );
    const serving = 'serving: { tls: { certFile: /c } }\n';
    const open = '`management.host` is `0.0.0.0`, which others can reach: ';
    equal(await problem(`${serving}management: { host: 0.0.0.0 }`), `${open}set \`management.tls.certFile\``);
    equal(
      await problem(`${serving}management: { host: 0.0.0.0, tls: { certFile: /c } }`),
      `${open}set \`management.tokens\` or \`management.tokensFile\``,
    );
    equal(
      await problem('serving: { tls: { certFile: /c, requireClientCert: true } }'),
      '`serving.tls.requireClientCert` needs `serving.tls.clientCaFile`',
    );
  });

  test('digests of tokens and headers are not shown', async () => {
    const file = stringify({
      management: { tokens: [{ name: 'here', role: 'viewer', sha256: 'a'.repeat(64) }] },
      telemetry: { otlp: { headers: { authorization: 'Bearer abc' } } },
    });
    const shown = JSON.stringify(redactConfig(await accepted({ file })));
    ok(!shown.includes('aaaa') && !shown.includes('Bearer') && shown.includes('here'));
  });

  test('a secret in a wrong place or form is not quoted', async () => {
    const leak = 'hunter2';
    const wrong: readonly Given[] = [
      { environment: { PORTCULLIS_TELEMETRY_OTLP_HEADERS: `authorization=${leak}` } },
      { environment: { PORTCULLIS_TELEMETRY_OTLP_ENDPOINT: `ftp://a:${leak}@host` } },
      { environment: { PORTCULLIS_TELEMETRY_OTLP_ENDPOINT: leak } },
      { environment: { PORTCULLIS_MANAGEMENT_TOKENS: leak } },
      { file: stringify({ telemetry: { otlp: { headers: leak } } }) },
      { file: stringify({ management: { tokens: [leak] } }) },
      { file: stringify({ management: { tokens: [{ name: 'a', role: 'viewer', sha256: leak }] } }) },
    ];
    for (const given of wrong) {
      const [, message] = await refused(given);
      ok(!message.includes(leak), message);
    }
  });

  test('the address of a receiver carries no password, and its query is not shown', async () => {
    const given = (endpoint: string): Given => ({ file: stringify({ telemetry: { otlp: { endpoint } } }) });
    deepEqual(await refused(given('https://a:b@host/v1/traces')), [
      'PC_CONFIG_VALUE',
      'portcullis.yaml:3: `telemetry.otlp.endpoint` must not carry a user name or password; use `telemetry.otlp.headers`',
    ]);
    const shown = JSON.stringify(redactConfig(await accepted(given('https://host/v1/traces?key=hunter2'))));
    ok(shown.includes('"https://host/v1/traces"') && !shown.includes('hunter2'));
  });

  test('variables of others are left alone; what looks like ours is told', async () => {
    const loaded = await load({
      environment: {
        // Service links, as Kubernetes makes them for Services `portcullis`, `portcullis-serving` and `portcullis-management`.
        PORTCULLIS_PORT: 'tcp://10.0.0.7:443',
        PORTCULLIS_PORT_443_TCP_ADDR: '10.0.0.7',
        PORTCULLIS_SERVICE_HOST: '10.0.0.7',
        PORTCULLIS_SERVING_PORT: 'tcp://10.0.0.7:443',
        PORTCULLIS_MANAGEMENT_SERVICE_PORT_HTTPS: '443',
        PORTCULLIS_SERVING_PROT: '1',
      },
    });
    ok(!isFault(loaded));
    equal(loaded.config.serving.port, 8443);
    deepEqual(loaded.warnings, [
      'variable `PORTCULLIS_SERVING_PROT` sets no key of the configuration; did you mean `PORTCULLIS_SERVING_PORT`?',
    ]);
  });
});

function valueAt(config: Config, { path }: ConfigKey): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], config);
}

/** A text that the key takes and that is not its default. */
function sampleText(key: ConfigKey): string {
  if (key.name.endsWith('Bytes')) return '1Mi';
  if (/(Timeout|Delay|Interval)$/.test(key.name)) return '96s';
  if (key.name.endsWith('.timeout')) return '12s';
  if (key.name.endsWith('.url')) return 'https://gates.example';
  const samples = {
    number: '7',
    boolean: String(key.default !== true),
    list: '/a, /b',
    text: '/x',
    structure: '',
  };
  return samples[key.form];
}
