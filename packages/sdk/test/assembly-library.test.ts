import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  applyPatch,
  createPluginHarness,
  createPluginInput,
  type JsonValue,
  type PluginHarness,
} from '../src/index.ts';

const SDK = join(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'assembly-library-'));
after(() => rm(folder, { recursive: true }));

async function compile(source: string): Promise<PluginHarness> {
  const compiler = join(SDK, '../../node_modules/assemblyscript/bin/asc.js');
  const outFile = join(folder, 'compiled.wasm');
  const config = join(SDK, 'asconfig.json');
  execFileSync(process.execPath, [compiler, source, '--outFile', outFile, '--config', config], { cwd: SDK });
  return createPluginHarness(await readFile(outFile));
}

const harness = await compile(join(SDK, 'assembly/tests/accessors.ts'));
const evaluate = (object: JsonValue): ReturnType<typeof harness.evaluate> =>
  harness.evaluate(createPluginInput({ object }));

test('everything of the request can be read', () => {
  const object = `{
    "kinds": [null, true, false, -1.5e2, "x", [], {}],
    "number": -1.5e2, "boolean": true, "text": "a\\"\\n\\ud83d\\ude00", "twice": "first", "twice": "l\\u0061st",
    "spec": {
      "containers": [{"image": "a"}], "initContainers": [{"image": "b"}, {}], "ephemeralContainers": null,
      "template": {"spec": {"containers": [{"image": "c"}]}},
      "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"image": "d"}]}}}}
    },
    "template": {"spec": {"containers": [{"image": "e"}]}}
  }`;
  const input = `{"operation":"UPDATE","object":${object},"namespace":"shop","name":"web",
    "userInfo":{"username":"ana","groups":["ops","dev"],"extra":{}},"context":{}}`;
  const answer = harness.evaluate(new TextEncoder().encode(input));
  assert.deepEqual(answer.auditAnnotations, {
    operation: 'UPDATE',
    request: 'shop/web',
    user: 'ana of ops+dev',
    keys: 'kinds number boolean text twice twice spec template',
    kinds: '1223456!',
    number: '-150.0',
    'no number': '7.0',
    boolean: 'true',
    text: 'a"\n😀',
    otherwise: 'otherwise',
    'is text': 'true',
    last: 'last',
    source: '[null, true, false, -1.5e2, "x", [], {}]',
    pointer: '/a~1b/~0/ü',
    containers:
      'spec.containers[0]=a spec.initContainers[0]=b spec.initContainers[1]= ' +
      'spec.template.spec.containers[0]=c spec.jobTemplate.spec.template.spec.containers[0]=d ' +
      'template.spec.containers[0]=e ',
  });
  assert.equal(answer.outcome, 'allow');
  assert.equal(answer.message, 'fine');
  assert.deepEqual(answer.warnings, ['warned']);
  assert.deepEqual(harness.run(new TextEncoder().encode(input)).logs, ['logged ü']);
});

test('a denial stands, whatever is said after it', () => {
  const answer = evaluate({ deny: 'no "way"', replace: 'old' });
  assert.equal(answer.outcome, 'deny');
  assert.equal(answer.message, 'no "way"');
  assert.equal(answer.reason, 'Because');
  assert.equal(answer.patch, undefined);
});

test('errors deny, with field, type and value', () => {
  const answer = evaluate({ errors: ['one', 'two\u0001'] });
  assert.equal(answer.outcome, 'deny');
  assert.equal(answer.reason, 'PolicyViolation');
  assert.deepEqual(answer.errors, [
    { field: 'errors[0]', message: 'one', errorType: 'Bad', invalidValue: 'one' },
    { field: 'errors[1]', message: 'two\u0001', errorType: 'Bad', invalidValue: 'two\u0001' },
  ]);
});

test('a policy that says nothing denies', () => {
  const answer = evaluate({ silent: true });
  assert.equal(answer.outcome, 'deny');
  assert.equal(answer.message, 'the policy gave no verdict');
});

test('a policy that traps is a fault', () => {
  assert.equal(evaluate({ trap: true }).outcome, 'fault');
});

test('a write without an object is denied before the policy is asked', () => {
  for (const object of [undefined, null, 'text', []]) {
    const answer = harness.evaluate(createPluginInput(object === undefined ? {} : { object }));
    assert.deepEqual([answer.outcome, answer.reason], ['deny', 'InvalidInput']);
  }
});

test('an input without an operation is denied', () => {
  const answer = harness.evaluate(new TextEncoder().encode('{"object":{}}'));
  assert.deepEqual(
    [answer.outcome, answer.message],
    ['deny', 'Plugin error: Failed to parse input: missing field `operation`'],
  );
});

test('patches are written in order', () => {
  const object = { replace: 'old', remove: 1 };
  const { patch } = evaluate(object);
  assert.ok(patch !== undefined);
  assert.deepEqual(applyPatch(object, patch), { replace: 'new' });
});

test('the policy of the README does what the README says', async () => {
  const readme = await readFile(join(SDK, 'README.md'), 'utf8');
  const [, source] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  assert.ok(source !== undefined);
  await writeFile(join(folder, 'policy.ts'), source);
  const policy = await compile(join(folder, 'policy.ts'));
  const object = { kind: 'Pod', spec: { containers: [{ image: 'nginx' }] } };
  const answer = policy.evaluate(createPluginInput({ object }, { some: 'setting' }));
  assert.equal(answer.outcome, 'deny');
  assert.equal(answer.errors[0]?.field, 'spec.containers[0].image');
});
