import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createPair, workDirectory, writePair } from '../app/support/certificates.ts';
import { post } from '../app/support/post.ts';
import { serve, type Served } from '../app/support/serve.ts';
import { respond, wapc } from '../engines/kubewarden/support/guest-wat.ts';
import { podReview } from './open-gate.ts';

const ALLOW = '{"accepted":true}';
const DENY = '{"accepted":false,"message":"no team label","code":418,"warnings":["old"]}';
const SECOND = 1000;

function answering(text: string): Uint8Array {
  return wapc(`${respond(0, text.length)} (i32.const 1)`, { data: text });
}

const FILE = `
allow: {module: file://allow.wasm}
deny: {module: file://deny.wasm, message: add a team label, unknown: 1}
watched: {module: file://deny.wasm, policyMode: monitor}
group:
  expression: "fine() && never()"
  message: not both
  policies: {fine: {module: file://allow.wasm}, never: {module: file://deny.wasm}}
missing: {module: file://missing.wasm}
wrong: {module: file://allow.wasm, policyMode: sometimes}
`;

describe('a server in the place of a policy-server', { timeout: 120 * SECOND }, () => {
  let served: Served;
  let directory: string;
  let probePort: number;

  before(async () => {
    directory = await workDirectory();
    probePort = await freePort();
    await writeFile(join(directory, 'allow.wasm'), answering(ALLOW));
    await writeFile(join(directory, 'deny.wasm'), answering(DENY));
    await writeFile(join(directory, 'policies.yml'), FILE);
    await writePair(directory, await createPair({ name: 'policy-server' }));
    const flags = ['--policies', 'policies.yml', '--port', '0', '--readiness-probe-port', String(probePort)];
    const tls = [
      '--cert-file',
      'tls.crt',
      '--key-file',
      'tls.key',
      '--addr',
      '127.0.0.1',
      '--log-fmt',
      'json',
    ];
    await writeFile(
      join(directory, 'portcullis.yaml'),
      'management: {port: 0}\npolicies: {checkInterval: 50ms}\n',
    );
    served = await serve(directory, [...flags, ...tls, '--workers', '1'], []);
  });
  after(() => {
    served.process.kill('SIGKILL');
  });

  async function ask(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const { status, text } = await post({ port: served.port, path, body: JSON.stringify(podReview()) });
    return { status, body: JSON.parse(text) as unknown };
  }

  async function statusOf(path: string): Promise<unknown> {
    const { status, body } = await ask(path);
    equal(status, 200);
    return (body as { response: { status?: unknown } }).response.status;
  }

  test('answers with guests of waPC', async () => {
    deepEqual(await ask('/validate/allow?timeout=10s'), {
      status: 200,
      body: {
        kind: 'AdmissionReview',
        apiVersion: 'admission.k8s.io/v1',
        response: { uid: 'u1', allowed: true, auditAnnotations: null, warnings: null },
      },
    });
    deepEqual(await statusOf('/validate/deny'), {
      message: 'add a team label',
      code: 418,
      details: { causes: [{ field: null, message: 'no team label', reason: null }] },
    });
    deepEqual(await statusOf('/audit/watched'), { message: 'no team label', code: 418 });
    equal(await statusOf('/validate/watched'), undefined);
    deepEqual(await statusOf('/validate/group'), {
      message: 'not both',
      details: { causes: [{ field: 'spec.policies.never', message: 'no team label', reason: null }] },
    });
    deepEqual(await statusOf('/validate/group%2Fnever'), { message: 'no team label', code: 418 });
    deepEqual(await ask('/validate/nobody'), {
      status: 404,
      body: { message: 'unknown policy: nobody', status: 404 },
    });
    const raw = await post({
      port: served.port,
      path: '/validate_raw/allow',
      body: '{"request":{"uid":"r"}}',
    });
    equal(raw.status, 200);
  });

  test('what cannot be loaded takes nobody down: it denies, and the status says why', async () => {
    const { code, message } = (await statusOf('/validate/missing')) as { code: number; message: string };
    equal(code, 500);
    match(message, /^internal server error: cannot read module `.*missing\.wasm`/);
    equal((await ask('/validate/wrong')).status, 404);
    const logged = served.log.map((line) => JSON.stringify(line)).join('\n');
    match(logged, /policies\.yml:10:\d+: wrong\.policyMode: must be one of `protect`, `monitor`/);
  });

  test('what cannot be loaded is in the metrics, under its name', async () => {
    const metrics = await (await fetch(`${served.management}/metrics`)).text();
    const lines = metrics.split('\n').filter((line) => /initialization_error="[^"]/.test(line));
    equal(lines.length, 1, lines.join('\n'));
    match(
      lines[0] ?? '',
      /^kubewarden_policy_evaluations_total\{policy_name="missing",.*initialization_error="PC_MODULE_MISSING"\} 1$/,
    );
  });

  test('no path of ours asks its policies', async () => {
    const body = JSON.stringify(podReview());
    const all = await post({ port: served.port, path: '/admission/validate', body });
    deepEqual((JSON.parse(all.text) as { response: object }).response, { uid: 'u1', allowed: true });
    for (const path of ['/admission/validate/deny', '/admission/mutate/deny']) {
      const one = await post({ port: served.port, path, body });
      match(one.text, /"allowed":false.*PC_NOT_FOUND/);
    }
  });

  test('weakness 6 and 18: probes without TLS tell whether it is ready', async () => {
    const ready = await fetch(`http://127.0.0.1:${probePort}/readiness`);
    equal(ready.status, 200, await ready.text());
    equal((await fetch(`http://127.0.0.1:${probePort}/healthz`)).status, 200);
    equal((await fetch(`http://127.0.0.1:${probePort}/metrics`)).status, 404);
  });

  test('weakness 16: the file is followed', async () => {
    await writeFile(join(directory, 'policies.yml'), `${FILE}later: {module: file://allow.wasm}\n`);
    let status = 404;
    for (let round = 0; status === 404 && round < 500; round += 1) {
      ({ status } = await ask('/validate/later'));
      if (status === 404) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    equal(status, 200);
    ok(served.process.exitCode === null);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
