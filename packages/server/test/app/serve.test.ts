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
    match(served.stdout(), /token +pc_[\w-]{32}\n/);
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
