import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { endToEndRequired } from '../support/components.ts';
import { findDebianProgram } from '../support/debian-program.ts';
import {
  HTPASSWD,
  PASSWORD,
  startDockerRegistry,
  type DockerRegistry,
  type DockerRegistryOptions,
} from '../support/docker-registry.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { at } from '../support/kubernetes-objects.ts';
import { startRegistryGate } from '../support/registry-gate.ts';
import { startRegistryProxy, type Interfere, type RegistryProxy } from '../support/registry-proxy.ts';
import { runCommand, type CommandResult } from '../support/run-command.ts';
import { startTokenServer } from '../support/token-server.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'server', 'src', 'cli', 'main.js');
const MODULE = join(import.meta.dirname, '..', '..', 'policies', 'image-registry', 'image-registry.wasm');
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

  function start(
    name: string,
    options: Pick<DockerRegistryOptions, 'auth' | 'port'> = {},
  ): Promise<DockerRegistry> {
    if (typeof program === 'string') throw new Error(program);
    return startDockerRegistry({ program: program.path, directory: join(directory, name), ...options });
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
    const closed = await start('passwords', { auth: { htpasswd: { realm: 'test', path: htpasswd } } });
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
    const closed = await start('tokens', {
      auth: { token: { realm, service, issuer, rootcertbundle: roots } },
    });
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

  describe('a server', () => {
    /** A registry of its own with a policy that lets everything in, and a server that has it. */
    async function gateOf(t: TestContext, name: string, by: 'tag' | 'digest') {
      for (const [file, verdict] of Object.entries(GATES))
        await writeFile(join(directory, `${file}.wasm`), await fixedPolicy(verdict));
      let running = await start(name);
      const { host, port } = running;
      const reference = `${host}/team/gate:stable`;
      const move = (file: keyof typeof GATES) =>
        succeed(['push', join(directory, `${file}.wasm`), reference]);
      const pinned = await move('open');
      const gate = await startRegistryGate({
        directory: join(directory, `server-${name}`),
        reference: by === 'tag' ? reference : pinned,
        registry: host,
        refresh: '300ms',
      });
      t.after(() => Promise.all([running.stop(), gate.stop()]));
      return {
        gate,
        move,
        leave: () => running.stop(),
        comeBack: async () => void (running = await start(name, { port })),
      };
    }
    const GATES = {
      open: { allowed: true },
      closed: { allowed: false, message: 'closed by tag' },
    };

    test('follows a tag, keeps what it has when the registry is away, and says so', async (t) => {
      const { gate, move, leave, comeBack } = await gateOf(t, 'followed', 'tag');
      equal(await gate.isAllowed(), true);
      await move('closed');
      await waitUntil(async () => !(await gate.isAllowed()), { what: 'the tag to be followed' });

      await leave();
      const away = await waitUntil(
        async () =>
          JSON.stringify(await gate.status()).includes('could not be checked since') && gate.status(),
        { what: 'the status to say that the registry is away' },
      );
      equal(at(away, 'status', 'state'), 'loaded');
      equal(await gate.isAllowed(), false);
      match(
        await gate.metrics(),
        /^portcullis_registry_requests_total\{registry="127\.0\.0\.1:\d+",outcome="unreachable"\} [1-9]/m,
      );

      await comeBack();
      await move('open');
      await waitUntil(() => gate.isAllowed(), { what: 'the tag to be followed again' });
      ok(!JSON.stringify(await gate.status()).includes('could not be checked'));
      ok(gate.server().logs().includes('a tag has moved'));
    });

    test('starts while the registry is away, with what the tag was, and follows it when it is back', async (t) => {
      const { gate, move, leave, comeBack } = await gateOf(t, 'restarted', 'tag');
      await move('closed');
      await waitUntil(async () => !(await gate.isAllowed()), { what: 'the tag to be followed' });
      await leave();
      await gate.restart();
      equal(await gate.isAllowed(), false);
      const status = await gate.status();
      equal(at(status, 'status', 'state'), 'loaded');
      match(JSON.stringify(status), /could not be checked since .* from the cache is in force: /);
      match(await gate.metrics(), /^portcullis_module_cache_reads_total\{result="hit"\} [1-9]/m);

      await comeBack();
      await move('open');
      await waitUntil(() => gate.isAllowed(), { what: 'the tag to be followed again' });
      ok(!JSON.stringify(await gate.status()).includes('could not be checked'));
    });

    test('starts with a digest that it has, and asks no registry', async (t) => {
      const { gate, leave } = await gateOf(t, 'pinned', 'digest');
      await leave();
      await gate.restart();
      equal(await gate.isAllowed(), true);
      ok(!JSON.stringify(await gate.status()).includes('could not be checked'));
      ok(!(await gate.metrics()).includes('portcullis_registry_requests_total{'));
    });

    test('does not use what it has of a tag against the word of the registry', async (t) => {
      const { gate, leave, comeBack } = await gateOf(t, 'removed', 'tag');
      equal(await gate.isAllowed(), true);
      await leave();
      await rm(join(directory, 'removed', 'data'), { recursive: true });
      await comeBack();
      await gate.restart();
      equal(at(await gate.status(), 'status', 'state'), 'refused');
      match(JSON.stringify(await gate.status()), /answer 404/);
    });
  });
}
