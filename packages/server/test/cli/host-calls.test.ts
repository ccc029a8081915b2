import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { callHost, respond, wapc } from '../engines/kubewarden/support/guest-wat.ts';
import { startFakeRegistry, type FakeRegistry } from '../oci/fake-registry.ts';
import { runCli } from './run-cli.ts';

const ALLOW = '{"accepted":true}';
const DENY = '{"accepted":false,"message":"the image is not there"}';
const DENY_AT = 100;
const ASK_AT = 1000;
const POD =
  '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"x"}]}}';

let folder: string;
let registry: FakeRegistry;
let digest: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-host-calls-'));
  registry = await startFakeRegistry();
  digest = registry.put('team/app', 'v1', Buffer.from('layer'));
});
after(async () => {
  await registry.close();
  await rm(folder, { recursive: true });
});

/** A policy that allows when the host knows the digest of an image. */
async function writePolicy(name: string, image: string): Promise<string> {
  const ask = ['kubewarden', 'oci', 'v1/manifest_digest', JSON.stringify(image)] as const;
  const data = Buffer.alloc(ASK_AT + ask.join('').length);
  data.write(ALLOW, 0);
  data.write(DENY, DENY_AT);
  data.write(ask.join(''), ASK_AT);
  const module = wapc(
    `(if ${callHost(ask, ASK_AT)} (then ${respond(0, ALLOW.length)}) (else ${respond(DENY_AT, DENY.length)})) (i32.const 1)`,
    { data },
  );
  await writeFile(join(folder, `${name}.wasm`), module);
  const path = join(folder, `${name}.json`);
  const document = {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name },
    spec: {
      engine: 'kubewarden',
      module: { file: `./${name}.wasm` },
      capabilities: ['oci/v1/*'],
      match: { resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] },
    },
  };
  await writeFile(path, JSON.stringify(document));
  return path;
}

test('what a policy asked is recorded, for nobody else to read, and answered again without the registry', async () => {
  const policy = await writePolicy('known', `${registry.host}/team/app:v1`);
  const recording = join(folder, 'recording.json');
  const recorded = await runCli(['check', '-p', policy, '-f', '-', '--record-host-calls', recording], POD);
  assert.equal(recorded.code, 0, recorded.out + recorded.err);
  assert.deepEqual(JSON.parse(await readFile(recording, 'utf8')), [
    { capability: 'oci/v1/manifest_digest', request: `${registry.host}/team/app:v1`, response: { digest } },
  ]);
  assert.equal((await stat(recording)).mode & 0o777, 0o600);
  const asked = registry.seen.length;
  const replayed = await runCli(['check', '-p', policy, '-f', '-', '--replay-host-calls', recording], POD);
  assert.equal(replayed.code, 0, replayed.out + replayed.err);
  assert.equal(registry.seen.length, asked);
});

test('a call that was not recorded is bad input, whatever the policy made of it', async () => {
  const policy = await writePolicy('other', 'registry.example/other:v1');
  const recording = join(folder, 'empty.yaml');
  await writeFile(recording, '[]\n');
  const { code, err } = await runCli(
    ['check', '-p', policy, '-f', '-', '--replay-host-calls', recording],
    POD,
  );
  assert.equal(code, 2);
  assert.match(
    err,
    /^PC_CAPABILITY_UNAVAILABLE: no call of `oci\/v1\/manifest_digest` with the request `"registry\.example\/other:v1"` was recorded$/m,
  );
});

test('without a recording nothing is asked, and a file that is no recording is bad input', async () => {
  const policy = await writePolicy('alone', `${registry.host}/team/app:v1`);
  const asked = registry.seen.length;
  const alone = await runCli(['check', '-p', policy, '-f', '-'], POD);
  assert.equal(alone.code, 1, alone.out + alone.err);
  assert.equal(registry.seen.length, asked);
  const bad = join(folder, 'bad.yaml');
  for (const [text, message] of [
    ['- capability: oci/v9/x\n  request: 1\n  response: 1\n', /bad\.yaml: 0: must be a call/],
    ['- capability: oci/v1/verify\n  request: 1\n', /bad\.yaml: 0: must be a call/],
    ['calls: []\n', /bad\.yaml: /],
    ['[', /bad\.yaml: /],
  ] as const) {
    await writeFile(bad, text);
    const { code, err } = await runCli(['check', '-p', policy, '-f', '-', '--replay-host-calls', bad], POD);
    assert.equal(code, 2, text);
    assert.match(err, message);
  }
});

test('a suite answers what its policy asks, and fails where it has no answer', async () => {
  const image = 'registry.example/suite:v1';
  const policy = await writePolicy('suite', image);
  const good = `{ capability: oci/v1/manifest_digest, request: "${image}", response: { digest: "${digest}" } }`;
  const failing = `{ capability: oci/v1/manifest_digest, request: "${image}", error: not found }`;
  await writeFile(join(folder, 'calls.yaml'), `- ${good}\n`);
  const suite = join(folder, 'suite.yaml');
  const run = async (text: string): Promise<{ code: number | null; out: string }> => {
    await writeFile(suite, `policy: ${policy}\n${text}`);
    const { code, out, err } = await runCli(['test', suite]);
    return { code, out: out + err };
  };
  const passing = await run(`hostCalls: calls.yaml
cases:
  - { name: there, review: { object: ${POD} }, expect: { allowed: true } }
  - { name: gone, review: { object: ${POD} }, hostCalls: [${failing}], expect: { allowed: false } }
`);
  assert.equal(passing.code, 0, passing.out);
  const missing = await run(`hostCalls: []
cases:
  - { name: unknown, review: { object: ${POD} }, expect: { allowed: false } }
`);
  assert.equal(missing.code, 1, missing.out);
  assert.match(
    missing.out,
    /no call of `oci\/v1\/manifest_digest` with the request `"registry\.example\/suite:v1"` was recorded/,
  );
});
