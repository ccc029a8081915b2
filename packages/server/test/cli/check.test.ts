import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli } from './run-cli.ts';

const POLICY = 'policies/image-registry';

function pod(image: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers: [{ name: 'web', image }] },
  });
}

const check = (stdin: string, ...more: readonly string[]): ReturnType<typeof runCli> =>
  runCli(['check', '-p', POLICY, '-f', '-', ...more], stdin);

test('an admitted manifest: exit 0', async () => {
  const { code, out, err } = await check(pod('registry.k8s.io/pause:3.10'));
  assert.deepEqual(
    { code, out, err },
    { code: 0, out: 'standard input: allowed by image-registry\n', err: '' },
  );
});

test('a denied manifest: exit 1, with policy, field and what to do', async () => {
  const { code, out } = await check(pod('quay.io/acme/app:1'));
  assert.equal(code, 1);
  assert.match(out, /^standard input: denied by image-registry$/m);
  assert.match(out, /spec\.containers\[0\]\.image: .*quay\.io\/acme\/app:1/);
  assert.match(out, /Approved registries: /);
});

test('what a message holds is shown, and does nothing to the terminal', async () => {
  const { code, out } = await check(
    pod('quay.io/\u001b[2J\u009b2Jx\nstandard input: allowed by image-registry'),
  );
  assert.equal(code, 1);
  assert.match(out, /quay\.io\/\\u001b\[2J\\u009b2Jx/);
  assert.doesNotMatch(out, /[^\n\P{Cc}]|^standard input: allowed/mu);
});

test('aliases that make too much out of little: exit 2', async () => {
  const levels = ['a', 'b', 'c', 'd', 'e'].map(
    (name, at, all) =>
      `${name}: &${name} [${Array(9)
        .fill(at === 0 ? 'x' : `*${all[at - 1]}`)
        .join(',')}]`,
  );
  const { code, out, err } = await check(`${levels.join('\n')}\n`);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^PC_INPUT: `standard input`: Excessive alias count/);
});

test('several documents in one file are judged one by one', async () => {
  const two = `${pod('registry.k8s.io/pause:3.10')}\n`.replace(/^/, '---\n') + `---\n${pod('quay.io/x/y')}\n`;
  const { code, out } = await check(two);
  assert.equal(code, 1);
  assert.match(out, /standard input#1: allowed/);
  assert.match(out, /standard input#2: denied/);
});

test('JSON output holds what the server would say', async () => {
  const { code, out } = await check(pod('quay.io/acme/app:1'), '--output', 'json');
  const [row] = JSON.parse(out) as {
    allowed: boolean;
    causes: { field: string }[];
    policies: { policy: string }[];
  }[];
  assert.equal(code, 1);
  assert.equal(row?.allowed, false);
  assert.equal(row.causes[0]?.field, 'spec.containers[0].image');
  assert.equal(row.policies[0]?.policy, 'image-registry');
});

test('a mutation is shown as its patch', async () => {
  const args = ['check', '-p', 'policies/default-labels', '-f', '-'];
  const { code, out } = await runCli(args, pod('registry.k8s.io/pause:3.10'));
  assert.equal(code, 0, out);
  assert.match(out, /patch: \{"op":"add","path":"\/metadata\/labels"/);
});

test('a DELETE is about the object that is there, and a policy may not concern it', async () => {
  const { code, out } = await check(pod('quay.io/x/y'), '--operation', 'DELETE');
  assert.equal(code, 0);
  assert.match(out, /allowed by no policy \(none concerns it\)/);
});

test('bad input: exit 2 and a reason on standard error', async () => {
  for (const [stdin, reason] of [
    ['', /holds no document/],
    ['{"kind":', /not well-formed JSON/],
    ['[1, 2]', /not an object/],
    ['kind: [', /standard input/],
    ['{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', /PC_REVIEW_REQUEST/],
  ] as const) {
    const { code, err } = await check(stdin);
    assert.equal(code, 2, stdin);
    assert.match(err, reason);
  }
});

test('a policy that cannot be loaded: exit 2, never a verdict without it', async () => {
  const { code, out, err } = await runCli(['check', '-p', 'package.json', '-f', '-'], pod('x'));
  assert.equal(code, 2);
  assert.equal(out, '');
  assert.match(err, /PC_POLICY_/);
});

test('no policy named, an unknown option and an unknown command are bad input', async () => {
  assert.equal((await runCli(['check', '-f', '-'], pod('x'))).code, 2);
  assert.equal((await runCli(['check', '--polcy', 'x', '-f', '-'])).code, 2);
  const unknown = await runCli(['chek']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /unknown command/);
});

test('help goes to standard output and names every command', async () => {
  const { code, out } = await runCli(['--help']);
  assert.equal(code, 0);
  for (const command of ['serve', 'check', 'test', 'inspect', 'bench'])
    assert.match(out, new RegExp(`^  ${command} `, 'm'));
});
