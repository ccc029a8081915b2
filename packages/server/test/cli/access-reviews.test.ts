import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { searchGuest } from '../support/search-guest.ts';
import { runCli } from './run-cli.ts';

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-access-'));
  const token = (status: object): unknown => ({
    response: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status },
  });
  const access = (status: object): unknown => ({
    response: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', status },
  });
  const ana = { authenticated: true, user: { username: 'ana', groups: ['desk'] }, audiences: ['api'] };
  await write(
    'desk',
    'authentication',
    {},
    await searchGuest(
      'authn',
      [{ needle: '"token":"desk-42"', answer: token(ana) }],
      token({ authenticated: false }),
    ),
  );
  await write(
    'keep',
    'authorization',
    { verbs: ['delete', 'get'] },
    await searchGuest(
      'authz',
      [{ needle: '"verb":"delete"', answer: access({ allowed: false, denied: true, reason: 'it is kept' }) }],
      access({ allowed: true }),
    ),
  );
});
after(() => rm(folder, { recursive: true }));

async function write(name: string, gate: string, match: object, module: Uint8Array): Promise<void> {
  await writeFile(join(folder, `${name}.wasm`), module);
  const spec = { gate, engine: 'wasi', match, module: { file: `./${name}.wasm` } };
  const document = { apiVersion: 'portcullis.dev/v1', kind: 'Policy', metadata: { name }, spec };
  await writeFile(join(folder, `${name}.yaml`), JSON.stringify(document));
}

const tokenReview = (spec: object): string =>
  JSON.stringify({ apiVersion: 'authentication.k8s.io/v1beta1', kind: 'TokenReview', spec });
const accessReview = (verb: string): string =>
  JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: 'ana', resourceAttributes: { verb, version: 'v1', resource: 'pods' } },
  });
const check = (stdin: string, ...more: readonly string[]): ReturnType<typeof runCli> =>
  runCli(['check', '-p', folder, '-f', '-', ...more], stdin);

test('check judges TokenReviews', async () => {
  const known = await check(tokenReview({ token: 'desk-42', audiences: ['api', 'x'] }));
  assert.deepEqual(known, {
    code: 0,
    out: 'standard input: authenticated by desk\n  user ana, groups desk, for api\n',
    err: '',
  });
  const stray = await check(tokenReview({ token: 'stray' }));
  assert.deepEqual([stray.code, stray.out], [1, 'standard input: not authenticated by desk\n']);
  const empty = await check(tokenReview({}));
  assert.deepEqual([empty.code, empty.out], [2, '']);
  assert.match(empty.err, /^standard input: PC_REVIEW_SPEC: `spec\.token` is missing or empty/);
});

test('an authenticator that makes an administrator is not believed, unless its policy allows it', async () => {
  const file = join(folder, 'boss.yaml');
  const boss = { authenticated: true, user: { username: 'eve', groups: ['system:masters'] } };
  const module = await searchGuest('authn', [], {
    response: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status: boss },
  });
  const judge = async (more: object): ReturnType<typeof runCli> => {
    const spec = {
      gate: 'authentication',
      engine: 'wasi',
      module: { inline: Buffer.from(module).toString('base64') },
    };
    await writeFile(
      file,
      JSON.stringify({
        apiVersion: 'portcullis.dev/v1',
        kind: 'Policy',
        metadata: { name: 'boss' },
        spec: { ...spec, ...more },
      }),
    );
    return runCli(['check', '-p', file, '-f', '-'], tokenReview({ token: 'stray' }));
  };
  const refused = await judge({});
  assert.equal(refused.code, 1);
  assert.match(refused.out, /not authenticated/);
  assert.match(
    refused.out,
    /the policy gave the group `system:masters`, which `spec\.systemNames` does not allow/,
  );
  const allowed = await judge({ systemNames: ['system:masters'] });
  assert.deepEqual(
    [allowed.code, allowed.out],
    [0, 'standard input: authenticated by boss\n  user eve, groups system:masters\n'],
  );
  await rm(file);
});

test('check judges SubjectAccessReviews, in JSON or YAML and several in one file', async () => {
  assert.equal((await check(accessReview('get'))).out, 'standard input: allowed by keep\n');
  const denied = await check(accessReview('delete'));
  assert.deepEqual([denied.code, denied.out], [1, 'standard input: denied by keep\n  [keep] it is kept\n']);
  const silent = await check(accessReview('watch'));
  assert.deepEqual(
    [silent.code, silent.out],
    [1, 'standard input: no opinion by no policy (none concerns it)\n'],
  );
  const both = await check(
    `---\n${accessReview('get')}\n---\n${tokenReview({ token: 'desk-42' })}\n`,
    '-o',
    'json',
  );
  const rows = JSON.parse(both.out) as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ gate, outcome, allowed }) => [gate, outcome, allowed]),
    [
      ['authorization', 'allow', true],
      ['authentication', 'allow', true],
    ],
  );
});

test('suites have cases for tokens and for access', async () => {
  const file = join(folder, 'suite.yml');
  const suite = async (cases: string): ReturnType<typeof runCli> => {
    await writeFile(file, `policy: [desk.yaml, keep.yaml]\ncases:\n${cases}`);
    return runCli(['test', file]);
  };
  const attributes = (verb: string): string =>
    `{ user: ana, resourceAttributes: { verb: ${verb}, resource: pods } }`;
  const passed = await suite(
    [
      '- name: a token',
      '  tokenReview: { token: desk-42, audiences: [api] }',
      '  expect: { allowed: true, user: { username: ana }, audiences: [api] }',
      '- name: a stray token',
      '  tokenReview: { token: stray }',
      '  expect: { allowed: false, denied: false }',
      '- name: a denial',
      `  accessReview: ${attributes('delete')}`,
      '  expect: { allowed: false, denied: true, message: it is kept }',
      '- name: no opinion',
      `  accessReview: ${attributes('watch')}`,
      '  expect: { allowed: false, denied: false, matched: false }',
    ].join('\n'),
  );
  assert.match(passed.out, /^4 passed, 0 failed$/m);
  const failed = await suite(
    [
      '- name: another user',
      '  tokenReview: { token: desk-42 }',
      '  expect: { allowed: true, user: { username: bea } }',
      '- name: two questions',
      '  tokenReview: { token: desk-42 }',
      `  accessReview: ${attributes('get')}`,
      '  expect: { allowed: true }',
    ].join('\n'),
  );
  assert.match(failed.out, /user: expected \{"username":"bea"\}, found \{"username":"ana"/);
  assert.match(failed.out, /a case needs one of `review`, `tokenReview`, `accessReview` and `file`/);
  assert.match(failed.out, /^0 passed, 2 failed$/m);
});

test('configuration files of WASI modules are policies too', async () => {
  const configured = async (
    gate: string,
    modules: readonly unknown[],
    stdin: string,
  ): ReturnType<typeof runCli> => {
    const file = join(folder, `${gate}-modules.json`);
    await writeFile(file, JSON.stringify({ modules }));
    const result = await runCli(['check', `--${gate}-modules`, file, '-f', '-'], stdin);
    await rm(file);
    return result;
  };
  const desk = await configured(
    'authentication',
    [{ name: 'desk', module: 'desk.wasm' }],
    tokenReview({ token: 'desk-42', audiences: ['api'] }),
  );
  assert.equal(desk.code, 0);
  assert.match(desk.out, /authenticated by desk\n {2}user ana/);
  const keep = await configured('authorization', [{ module: 'keep.wasm' }], accessReview('delete'));
  assert.equal(keep.code, 1);
  assert.match(keep.out, /denied by keep.wasm\n {2}\[keep.wasm\] it is kept/);
  const broken = await configured('authorization', [{ modul: 'keep.wasm' }], accessReview('delete'));
  assert.equal(broken.code, 2);
  assert.match(broken.err, /modul/);
});
