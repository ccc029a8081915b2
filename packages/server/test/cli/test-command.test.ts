import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT, runCli } from './run-cli.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-suites-'));
});
after(() => rm(folder, { recursive: true }));

async function suite(text: string): Promise<string> {
  const path = join(folder, 'suite.yaml');
  await writeFile(path, `policy: ${join(ROOT, 'policies/image-registry/policy.yaml')}\n${text}`);
  return path;
}

const POD =
  '{ apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: a, image: quay.io/a/b }] } }';

test('the suites of the example policies pass', async () => {
  const { code, out, err } = await runCli(['test', 'policies']);
  assert.equal(code, 0, out + err);
  assert.match(out, /^[1-9]\d* passed, 0 failed$/m);
});

test('a case that does not hold fails, with what was expected and found, and in the JUnit report', async () => {
  const path = await suite(
    `cases:\n  - name: "wrong <&>"\n    review: { object: ${POD} }\n    expect: { allowed: true }\n`,
  );
  const report = join(folder, 'report.xml');
  const { code, out } = await runCli(['test', path, '--junit', report]);
  assert.equal(code, 1);
  assert.match(out, /failed {2}wrong <&>/);
  assert.match(out, /allowed: expected true, found "\[image-registry\] /);
  assert.match(out, /^0 passed, 1 failed$/m);
  const xml = await readFile(report, 'utf8');
  assert.match(xml, /<testsuite name="[^"]+" tests="1" failures="1">/);
  assert.match(xml, /<testcase name="wrong &lt;&amp;&gt;"/);
});

test('a case that the policy does not concern fails unless it says so', async () => {
  const review = `review: { namespace: kube-system, object: ${POD} }`;
  const silent = await suite(`cases:\n  - name: a\n    ${review}\n    expect: { allowed: true }\n`);
  assert.match((await runCli(['test', silent])).out, /does not concern this review/);
  const said = await suite(
    `cases:\n  - name: a\n    ${review}\n    expect: { allowed: true, matched: false }\n`,
  );
  assert.equal((await runCli(['test', said])).code, 0);
});

test('a suite with a mistake is not a pass', async () => {
  for (const text of [
    'cases: []\n',
    `cases:\n  - name: a\n    review: { object: ${POD} }\n    expect: { alowed: false }\n`,
    `cases:\n  - name: a\n    expect: { allowed: true, unknown: 1 }\n`,
    'kases: []\n',
  ]) {
    const { code, err } = await runCli(['test', await suite(text)]);
    assert.equal(code, 2, text);
    assert.match(err, /PC_INPUT/);
  }
});

test('no suite at all is bad input', async () => {
  assert.equal((await runCli(['test', 'docs'])).code, 2);
  assert.equal((await runCli(['test', 'nonexistent'])).code, 2);
});
