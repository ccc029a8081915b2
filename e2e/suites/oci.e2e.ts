import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { endToEndRequired } from '../support/components.ts';
import { findDebianProgram } from '../support/debian-program.ts';
import { HTPASSWD, PASSWORD, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { freePorts } from '../support/free-ports.ts';
import { at, pod } from '../support/kubernetes-objects.ts';
import { portcullisConfig, writePortcullisFiles } from '../support/portcullis-config.ts';
import { startPortcullis } from '../support/portcullis.ts';
import { startRegistryProxy, type Interfere, type RegistryProxy } from '../support/registry-proxy.ts';
import { createReviewClient } from '../support/review-client.ts';
import { runCommand, type CommandResult } from '../support/run-command.ts';
import { startTokenServer } from '../support/token-server.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'server', 'src', 'cli', 'main.js');
const MODULE = join(import.meta.dirname, '..', '..', 'policies', 'image-registry', 'image-registry.wasm');
const TOKEN = 'token-of-the-suite';
const IDENTITY_TOKEN = 'an-identity-token';

const [program, skopeoProgram] = [
  await findDebianProgram('docker-registry'),
  await findDebianProgram('skopeo'),
];
const missing = [program, skopeoProgram].find((found) => typeof found === 'string');
if (missing === undefined || endToEndRequired()) void describe('oci', suite);
else void test('oci', { skip: missing });

function suite(): void {
  let directory: string;
  let registry: DockerRegistry;
  let module: Buffer;

  before(async () => {
    directory = await createWorkDirectory('oci');
    module = await readFile(MODULE);
    registry = await start('open');
  });
  after(() => registry?.stop());

  function start(name: string, auth?: object): Promise<DockerRegistry> {
    if (typeof program === 'string') throw new Error(program);
    const options = { program: program.path, directory: join(directory, name) };
    return startDockerRegistry(auth === undefined ? options : { ...options, auth });
  }

  /** `portcullis policy …` with the credentials of a folder; none by default. */
  function policy(args: readonly string[], dockerConfig = '/nonexistent'): Promise<CommandResult> {
    return runCommand(process.execPath, [MAIN, 'policy', ...args], { env: { DOCKER_CONFIG: dockerConfig } });
  }

  async function succeed(args: readonly string[], dockerConfig?: string): Promise<string> {
    const { code, stdout, stderr } = await policy(args, dockerConfig);
    equal(code, 0, stderr);
    return stdout.trim();
  }

  async function refused(args: readonly string[], dockerConfig?: string): Promise<string> {
    const { code, stdout, stderr } = await policy(args, dockerConfig);
    deepEqual([code, stdout], [2, ''], stderr);
    ok(!stderr.includes(PASSWORD) && !stderr.includes(IDENTITY_TOKEN), 'a secret is shown');
    return stderr.split(':')[0] ?? '';
  }

  async function skopeo(...args: string[]): Promise<string> {
    if (typeof skopeoProgram === 'string') throw new Error(skopeoProgram);
    const { code, stdout, stderr } = await runCommand(skopeoProgram.path, ['--insecure-policy', ...args]);
    equal(code, 0, stderr);
    return stdout;
  }

  async function login(name: string, host: string, entry: object): Promise<string> {
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: entry } }));
    return folder;
  }
  const passwordEntry = (password: string) => ({ auth: Buffer.from(`me:${password}`).toString('base64') });

  test('what we push, we and another client pull', async () => {
    const pinned = await succeed(['push', MODULE, `${registry.host}/team/ours:v1`]);
    const file = join(directory, 'pulled.wasm');
    await succeed(['pull', pinned, '-o', file]);
    deepEqual(await readFile(file), module);
    const folder = join(directory, 'by-skopeo');
    await skopeo('copy', '--src-tls-verify=false', `docker://${registry.host}/team/ours:v1`, `dir:${folder}`);
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    const digest = String(at(manifest, 'layers', '0', 'digest'));
    deepEqual(await readFile(join(folder, digest.replace('sha256:', ''))), module);
  });

  test('what another client pushes, we pull, with the same digest', async () => {
    await succeed(['push', MODULE, `${registry.host}/team/ours:v2`]);
    const [from, to] = [`docker://${registry.host}/team/ours:v2`, `docker://${registry.host}/team/theirs:v2`];
    await skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', from, to);
    const [ours, theirs] = await Promise.all(
      ['ours', 'theirs'].map((name) => succeed(['digest', `${registry.host}/team/${name}:v2`])),
    );
    equal(ours?.split('@')[1], theirs?.split('@')[1]);
    const file = join(directory, 'theirs.wasm');
    await succeed(['pull', `${registry.host}/team/theirs:v2`, '-o', file]);
    deepEqual(await readFile(file), module);
  });

  test('an archive goes from registry to registry, and other clients read it', async (t) => {
    const other = await start('air-gapped');
    t.after(() => other.stop());
    const reference = `${registry.host}/team/saved:v1`;
    const digest = (await succeed(['push', MODULE, reference])).split('@')[1] ?? '';
    const archive = join(directory, 'policies.tar');
    await succeed(['save', reference, '-o', archive]);
    await succeed(['load', archive, '--to', `${other.host}/mirror`]);
    equal(
      await succeed(['digest', `${other.host}/mirror/team/saved:v1`]),
      `${other.host}/mirror/team/saved@${digest}`,
    );
    const raw = await skopeo('inspect', '--raw', `oci-archive:${archive}`);
    equal(at(JSON.parse(raw), 'layers', '0', 'mediaType'), 'application/vnd.wasm.content.layer.v1+wasm');
  });

  test('a registry with passwords', async (t) => {
    const htpasswd = join(directory, 'htpasswd');
    await writeFile(htpasswd, HTPASSWD);
    const closed = await start('passwords', { htpasswd: { realm: 'test', path: htpasswd } });
    t.after(() => closed.stop());
    const reference = `${closed.host}/team/p:v1`;
    equal(await refused(['push', MODULE, reference]), 'PC_OCI_UNAUTHORIZED');
    const wrong = await login('wrong-password', closed.host, passwordEntry(`${PASSWORD}!`));
    equal(await refused(['push', MODULE, reference], wrong), 'PC_OCI_UNAUTHORIZED');
    const right = await login('right-password', closed.host, passwordEntry(PASSWORD));
    const pinned = await succeed(['push', MODULE, reference], right);
    equal(await succeed(['digest', reference], right), pinned);
    equal(await refused(['digest', reference]), 'PC_OCI_UNAUTHORIZED');
  });

  test('a registry with a token server, by password and by identity token', async (t) => {
    const authority = await createAuthority();
    const roots = join(directory, 'roots.pem');
    await writeFile(roots, authority.pem);
    const [issuer, service] = ['issuer.test', 'registry.test'];
    const tokens = await startTokenServer({
      issuer,
      service,
      identity: await issueServerCertificate(authority),
      username: 'me',
      password: PASSWORD,
      identityToken: IDENTITY_TOKEN,
    });
    t.after(() => tokens.close());
    const { realm } = tokens;
    const closed = await start('tokens', { token: { realm, service, issuer, rootcertbundle: roots } });
    t.after(() => closed.stop());
    const reference = `${closed.host}/team/p:v1`;
    equal(await refused(['push', MODULE, reference]), 'PC_OCI_UNAUTHORIZED');
    const byPassword = await login('token-password', closed.host, passwordEntry(PASSWORD));
    const pinned = await succeed(['push', MODULE, reference], byPassword);
    const byIdentity = await login('token-identity', closed.host, { identitytoken: IDENTITY_TOKEN });
    equal(await succeed(['digest', reference], byIdentity), pinned);
    deepEqual([...new Set(tokens.scopes)], ['repository:team/p:pull,push', 'repository:team/p:pull']);
    const wrong = await login('token-wrong', closed.host, { identitytoken: 'another' });
    equal(await refused(['digest', reference], wrong), 'PC_OCI_UNAUTHORIZED');
  });

  describe('a registry behind something that does wrong', () => {
    let proxy: RegistryProxy;
    before(async () => {
      await succeed(['push', MODULE, `${registry.host}/team/faults:v1`]);
      proxy = await startRegistryProxy(registry);
    });
    after(() => proxy?.close());

    function pull(interfere: Interfere, ...more: string[]): Promise<CommandResult> {
      proxy.interfere = interfere;
      return policy(['pull', `${proxy.host}/team/faults:v1`, '-o', join(directory, 'faults.wasm'), ...more]);
    }
    const isBlob = (url = ''): boolean => url.includes('/blobs/');

    test('a redirect to another place', async (t) => {
      const seen: (string | undefined)[] = [];
      const store = await startRegistryProxy(registry);
      t.after(() => store.close());
      store.interfere = ({ headers }, response) => {
        seen.push(headers.authorization);
        response.end(module);
        return true;
      };
      const { code, stderr } = await pull(({ url }, response) => {
        if (!isBlob(url)) return false;
        response.writeHead(307, { location: `http://${store.host}/blob?signature=x` }).end();
        return true;
      });
      deepEqual([code, stderr, seen], [0, '', [undefined]]);
    });

    const wrong: readonly (readonly [string, string, Interfere])[] = [
      [
        'a blob that breaks off',
        'PC_OCI_UNREACHABLE',
        ({ url }, response) => {
          if (!isBlob(url)) return false;
          response.writeHead(200, { 'content-length': module.length }).write(module.subarray(0, 1000));
          setTimeout(() => response.destroy(), 20);
          return true;
        },
      ],
      [
        'a blob that is too short',
        'PC_OCI_SIZE',
        ({ url }, response) => {
          if (isBlob(url)) response.end(module.subarray(1));
          return isBlob(url);
        },
      ],
      [
        'a blob with one wrong bit',
        'PC_OCI_DIGEST',
        ({ url }, response) => {
          const changed = Buffer.from(module);
          changed[100] = (changed[100] ?? 0) ^ 1;
          if (isBlob(url)) response.end(changed);
          return isBlob(url);
        },
      ],
      ...(
        [
          [401, 'PC_OCI_UNAUTHORIZED'],
          [403, 'PC_OCI_FORBIDDEN'],
          [404, 'PC_OCI_NOT_FOUND'],
          [429, 'PC_OCI_THROTTLED'],
          [500, 'PC_OCI_SERVER'],
          [503, 'PC_OCI_SERVER'],
        ] as const
      ).map(([status, code]) => {
        const interfere: Interfere = (_request, response) => {
          response.writeHead(status, status === 429 ? { 'retry-after': '600' } : {}).end();
          return true;
        };
        return [`the answer ${status}`, code, interfere] as const;
      }),
    ];
    for (const [name, code, interfere] of wrong) {
      test(`${name}: ${code}, and no file`, async () => {
        await rm(join(directory, 'faults.wasm'), { force: true });
        const result = await pull(interfere);
        equal(result.code, 2);
        match(result.stderr, new RegExp(`^${code}: `));
        equal(await readFile(join(directory, 'faults.wasm')).catch(() => 'no file'), 'no file');
      });
    }

    test('a registry that never ends an answer', async () => {
      const { code, stderr } = await pull((_request, response) => {
        response.writeHead(200).write('{');
        return true;
      }, '--timeout=300ms');
      equal(code, 2);
      match(stderr, /^PC_OCI_TIMEOUT: /);
    });

    test('one failure between is not the end', async () => {
      let failures = 1;
      const { code, stderr } = await pull(({ url }, response) => {
        if (!isBlob(url) || failures-- <= 0) return false;
        response.writeHead(503, { 'retry-after': '1' }).end();
        return true;
      });
      deepEqual([code, stderr], [0, '']);
    });
  });

  test('a server follows a tag, keeps what it has when the registry is away, and says so', serverFollows);

  async function serverFollows(t: TestContext): Promise<void> {
    const modules = {
      open: await fixedPolicy({ allowed: true }),
      closed: await fixedPolicy({ allowed: false, message: 'closed by tag' }),
    };
    for (const [name, bytes] of Object.entries(modules))
      await writeFile(join(directory, `${name}.wasm`), bytes);
    const own = await start('followed');
    const { port: registryPort } = own;
    let running = own;
    t.after(() => running.stop());
    const reference = `${own.host}/team/gate:stable`;
    const move = (name: keyof typeof modules) =>
      succeed(['push', join(directory, `${name}.wasm`), reference]);
    await move('open');

    const authority = await createAuthority();
    const files = await writePortcullisFiles(directory, await issueServerCertificate(authority));
    const spec = { engine: 'plugin', module: { oci: reference } };
    const document = { apiVersion: 'portcullis.dev/v1', kind: 'Policy', metadata: { name: 'gate' }, spec };
    await writeFile(join(files.policies, 'gate.yaml'), JSON.stringify(document));
    const [port = 0, managementPort = 0] = await freePorts(2);
    const oci = { refresh: '300ms', plainHttp: [own.host] };
    const sha256 = createHash('sha256').update(TOKEN).digest('hex');
    const management = { port: managementPort, tokens: [{ name: 'test', role: 'viewer', sha256 }] };
    const server = await startPortcullis({
      directory,
      config: portcullisConfig({ files, port, managementPort, sections: { sources: { oci }, management } }),
      managementPort,
      env: { DOCKER_CONFIG: '/nonexistent' },
    });
    t.after(() => server.stop());
    const client = createReviewClient(`https://127.0.0.1:${port}`, authority.pem);
    t.after(() => client.close());
    const isAllowed = async (): Promise<boolean> => (await client.ask(pod({ name: 'x' }))).allowed;
    const status = async (): Promise<unknown> => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const answer = await fetch(`${server.managementUrl}/api/v1/policies/gate`, { headers });
      return answer.json();
    };
    equal(await isAllowed(), true);

    await move('closed');
    await waitUntil(async () => !(await isAllowed()), { what: 'the tag to be followed' });

    await running.stop();
    const away = await waitUntil(
      async () => JSON.stringify(await status()).includes('could not be checked since') && status(),
      { what: 'the status to say that the registry is away' },
    );
    equal(at(away, 'status', 'state'), 'loaded');
    equal(await isAllowed(), false);

    if (typeof program === 'string') throw new Error(program);
    running = await startDockerRegistry({
      program: program.path,
      directory: join(directory, 'followed'),
      port: registryPort,
    });
    await move('open');
    await waitUntil(isAllowed, { what: 'the tag to be followed again' });
    ok(!JSON.stringify(await status()).includes('could not be checked'));
    ok(server.logs().includes('a tag has moved'));
  }
}
