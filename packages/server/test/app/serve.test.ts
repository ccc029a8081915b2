import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { createPair, workDirectory, writePair } from './support/certificates.ts';
import { keepAliveAgent, post, type Answer } from './support/post.ts';
import { refusedServe, serve, type Served } from './support/serve.ts';

const POLICIES = join(import.meta.dirname, '../../../../policies');

describe('portcullis serve', { timeout: 120_000 }, () => {
  let directory: string;
  const running: Served[] = [];

  beforeEach(async () => {
    directory = await workDirectory();
    await cp(join(POLICIES, 'image-registry'), join(directory, 'policies'), { recursive: true });
  });
  after(() => {
    for (const { process } of running) process.kill('SIGKILL');
  });

  async function start(config: object = {}, args: readonly string[] = ['--development']): Promise<Served> {
    await writeFile(join(directory, 'portcullis.yaml'), stringify(config));
    const free = ['--port', '0', '--management-port', '0', '--log-format', 'json'];
    const served = await serve(directory, [...free, '--policies', 'policies', ...args]);
    running.push(served);
    return served;
  }

  function ask({ port }: Served, image: string, agent?: ReturnType<typeof keepAliveAgent>): Promise<Answer> {
    return post({ port, body: review(image), ...(agent === undefined ? {} : { agent }) });
  }

  async function isAllowed(served: Served, image: string): Promise<unknown> {
    const { status, text } = await ask(served, image);
    equal(status, 200, text);
    return (JSON.parse(text) as { response: { allowed: unknown } }).response.allowed;
  }

  test('decides in every thread, is ready, and shows lines that do what they say', async () => {
    const served = await start({ serving: { threads: 2 } });
    for (let round = 0; round < 10; round += 1) {
      equal(await isAllowed(served, 'quay.io/acme/app:1'), false);
      equal(await isAllowed(served, 'registry.k8s.io/pause:3.10'), true);
    }
    const ready = await fetch(`${served.management}/readyz`);
    equal(ready.status, 200, await ready.text());
    equal((await fetch(`${served.management}/healthz`)).status, 200);
    const bodies = [...served.stdout().matchAll(/ -d '([^']+)' (\S+)/g)];
    const verdicts = await Promise.all(
      bodies.map(async ([, body, url]) => {
        equal(url, `https://127.0.0.1:${served.port}/admission/validate`);
        return (
          JSON.parse((await post({ port: served.port, body: body ?? '' })).text) as { response: object }
        ).response;
      }),
    );
    deepEqual(
      verdicts.map((verdict) => 'allowed' in verdict && verdict.allowed),
      [false, true],
    );
    match(served.stdout(), /token +pcl_[\w-]{43}\n/);
  });

  test('drains on SIGTERM without a failed request, unready at once, and ends with 0', async () => {
    const served = await start({ serving: { threads: 2, drainDelay: '400ms' } });
    const load = { over: false };
    const agent = keepAliveAgent();
    const statuses: number[] = [];
    const clients = Array.from({ length: 6 }, async () => {
      while (!load.over) statuses.push((await ask(served, 'registry.k8s.io/pause:3.10', agent)).status);
    });
    while (statuses.length < 20) await new Promise((resolve) => setTimeout(resolve, 5));
    served.process.kill('SIGTERM');
    let status = 200;
    while (status === 200) status = (await fetch(`${served.management}/readyz`)).status;
    equal(status, 503);
    const answered = statuses.length;
    while (statuses.length < answered + 20) await new Promise((resolve) => setTimeout(resolve, 5));
    load.over = true;
    await Promise.all(clients);
    agent.destroy();
    equal(await served.exited, 0);
    deepEqual(new Set(statuses), new Set([200]));
  });

  test('a second signal ends it at once', async () => {
    const served = await start({ serving: { drainDelay: '60s' } });
    served.process.kill('SIGTERM');
    let status = 200;
    while (status === 200) status = (await fetch(`${served.management}/readyz`)).status;
    served.process.kill('SIGINT');
    equal(await served.exited, 1);
  });

  test('follows its files: changes come in force, a broken file leaves the last good policy', async () => {
    const served = await start({ policies: { checkInterval: '50ms' } });
    const path = join(directory, 'policies/policy.yaml');
    const text = await readFile(path, 'utf8');
    await replace(path, text.replace('registry.k8s.io', 'quay.io'));
    while (!(await isAllowed(served, 'quay.io/acme/app:1')))
      await new Promise((resolve) => setTimeout(resolve, 10));
    await replace(path, text.replace('settings:', 'setings:'));
    while (!served.log.some(({ code }) => code === 'PC_POLICY_KEY'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    equal(await isAllowed(served, 'quay.io/acme/app:1'), true);
    equal((await fetch(`${served.management}/readyz`)).status, 200);
    await replace(path, text);
    while (await isAllowed(served, 'quay.io/acme/app:1'))
      await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test('a new certificate is shown without a failed request', async () => {
    const files = await writePair(directory, await createPair({ name: 'one' }));
    const served = await start({ serving: { threads: 2, tls: files } });
    const agent = keepAliveAgent();
    const load = { over: false };
    const seen = new Set<string>();
    const clients = Array.from({ length: 4 }, async (_, index) => {
      while (!load.over) {
        const answer = await ask(served, 'registry.k8s.io/pause:3.10', index % 2 === 0 ? agent : undefined);
        equal(answer.status, 200);
        seen.add(answer.servedBy);
      }
    });
    const next = await createPair({ name: 'two' });
    // In this order the pair does not match for a moment.
    await replace(files.certFile, next.cert);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await replace(files.keyFile, next.key);
    while (!seen.has('two')) await new Promise((resolve) => setTimeout(resolve, 10));
    load.over = true;
    await Promise.all(clients);
    agent.destroy();
    ok(served.log.some(({ code }) => code === 'PC_TLS_CERTIFICATE'));
  });

  test('a policy that came through the API survives a kill; one from a file belongs to its file', async () => {
    const dev = (config: object = {}): Promise<Served> => start({ serving: { threads: 2 }, ...config });
    const first = await dev();
    const module = { inline: await readFile(join(directory, 'policies/image-registry.wasm'), 'base64') };
    const document = (registry: string): string =>
      JSON.stringify({
        apiVersion: 'portcullis.dev/v1',
        kind: 'Policy',
        metadata: { name: 'from-api' },
        spec: { engine: 'plugin', module, settings: { registries: [registry] } },
      });
    const stranger = await call(first, 'PUT', '/api/v1/policies/from-api', { body: document('quay.io') });
    equal(stranger.status, 401);
    const token = tokenOf(first);
    const put = (served: Served, name: string, body: string): Promise<Response> =>
      call(served, 'PUT', `/api/v1/policies/${name}`, { body, token: tokenOf(served) });
    const made = await put(first, 'from-api', document('quay.io'));
    equal(made.status, 201, await made.text());
    // In force in every thread when the answer is there.
    for (let round = 0; round < 10; round += 1)
      equal(await isAllowed(first, 'registry.k8s.io/pause:3.10'), false);
    const conflict = await put(
      first,
      'image-registry',
      document('quay.io').replace('from-api', 'image-registry'),
    );
    equal(conflict.status, 409);
    const broken = await put(
      first,
      'from-api',
      document('quay.io').replace(/"inline":"[^"]*"/, '"inline":"AAAA"'),
    );
    equal(broken.status, 422, await broken.text());
    equal(await isAllowed(first, 'registry.k8s.io/pause:3.10'), false);
    const metrics = await (await fetch(`${first.management}/metrics`)).text();
    match(metrics, /^portcullis_\w*revision\w*(\{[^}]*\})? 2$/m);
    const status = await call(first, 'GET', '/api/v1/status', { token });
    deepEqual(((await status.json()) as { revision: object }).revision, { built: 2, inForce: 2 });
    ok(!JSON.stringify(first.log).includes(token));
    first.process.kill('SIGKILL');
    await first.exited;

    const second = await dev();
    equal(await isAllowed(second, 'registry.k8s.io/pause:3.10'), false);
    const removed = await call(second, 'DELETE', '/api/v1/policies/from-api', { token: tokenOf(second) });
    ok(removed.ok, await removed.text());
    equal(await isAllowed(second, 'registry.k8s.io/pause:3.10'), true);
  });

  describe('refuses to start', () => {
    before(async () => {
      directory = await workDirectory();
    });

    test('without a certificate', async () => {
      const { code, stderr } = await refusedServe(directory, []);
      equal(code, 2);
      match(stderr, /^error: `serving.tls.certFile` is missing: name a certificate/);
    });

    test('with a certificate that does not fit', async () => {
      const files = await writePair(directory, await createPair({ name: 'one' }));
      const { key } = await createPair({ name: 'two' });
      await writeFile(files.keyFile, key);
      const args = ['--cert-path', files.certFile, '--key-path', files.keyFile, '--port', '0'];
      const { code, stderr } = await refusedServe(directory, args);
      equal(code, 2);
      match(stderr, /^error: the private key in `.*tls.key` does not belong to the first certificate/);
      ok(!stderr.includes('PRIVATE KEY'));
    });

    test('on a port that another server shares', async () => {
      const served = await start();
      const { code, stderr } = await refusedServe(directory, [
        '--development',
        '--port',
        String(served.port),
        '--management-port',
        '0',
      ]);
      equal(code, 2);
      match(stderr, new RegExp(`error: cannot listen on 127.0.0.1:${served.port}: .*EADDRINUSE`));
    });
  });
});

function tokenOf(served: Served): string {
  return /token +(pcl_\S+)/.exec(served.stdout())?.[1] ?? '';
}

function call(
  served: Served,
  method: string,
  path: string,
  { body, token }: { readonly body?: string; readonly token?: string },
): Promise<Response> {
  return fetch(`${served.management}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body }),
  });
}

/** As editors do: never a half-written file. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

function review(image: string): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'review-1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: 'app',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'ana' },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'app' },
        spec: { containers: [{ name: 'a', image }] },
      },
    },
  });
}
