import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyPatch, createPluginHarness, createPluginInput, type PluginAnswer } from '../src/index.ts';

/** What suites cannot express: field paths, exact patches, inputs that no API server sends. */
const load = async (name: string): ReturnType<typeof createPluginHarness> =>
  createPluginHarness(await readFile(join(import.meta.dirname, `../../../policies/${name}/${name}.wasm`)));
const registry = await load('image-registry');
const registryInAssemblyScript = await load('image-registry-assemblyscript');
const labels = await load('default-labels');
const SETTINGS = { registries: ['ghcr.io/acme'] };

const raw = (text: string): Uint8Array => new TextEncoder().encode(text);
const bad = { image: 'quay.io/x' };
const good = { image: 'ghcr.io/acme/x' };

for (const [language, harness] of [
  ['Rust', registry],
  ['AssemblyScript', registryInAssemblyScript],
] as const) {
  const fieldsOf = (object: object): readonly string[] =>
    harness
      .evaluate(createPluginInput({ object: object as never }, SETTINGS))
      .errors.map(({ field }) => field);

  test(`image-registry in ${language} reports every violation with its field`, () => {
    const pod = {
      containers: [good, bad, bad],
      initContainers: [bad],
      ephemeralContainers: [good, bad],
    };
    const under = (path: string): readonly string[] => [
      `${path}.containers[1].image`,
      `${path}.containers[2].image`,
      `${path}.initContainers[0].image`,
      `${path}.ephemeralContainers[1].image`,
    ];
    assert.deepEqual(fieldsOf({ spec: pod }), under('spec'));
    assert.deepEqual(fieldsOf({ spec: { template: { spec: pod } } }), under('spec.template.spec'));
    assert.deepEqual(fieldsOf({ template: { spec: pod } }), under('template.spec'));
    assert.deepEqual(
      fieldsOf({ spec: { jobTemplate: { spec: { template: { spec: pod } } } } }),
      under('spec.jobTemplate.spec.template.spec'),
    );
  });

  test(`image-registry in ${language} counts past nine`, () => {
    const containers = [...Array.from({ length: 123 }, () => good), bad];
    assert.deepEqual(fieldsOf({ spec: { containers } }), ['spec.containers[123].image']);
  });
}

test('image-registry names the volume whose image is refused', () => {
  const volumes = [{ emptyDir: {} }, { image: { reference: 'quay.io/x', pullPolicy: 'Always' } }];
  const answer = registry.evaluate(createPluginInput({ object: { spec: { volumes } } }, SETTINGS));
  assert.deepEqual(answer.errors, [
    {
      field: 'spec.volumes[1].image.reference',
      message: "Image 'quay.io/x' is not from an approved registry. Approved registries: ghcr.io/acme",
      errorType: 'InvalidRegistry',
      invalidValue: 'quay.io/x',
    },
  ]);
});

test('image-registry without an object', () => {
  for (const [object, message] of [
    [undefined, 'No object provided'],
    [null, 'No object provided'],
    ['text', 'The object is not a JSON object'],
  ] as const) {
    const answer = registry.evaluate(createPluginInput(object === undefined ? {} : { object }, SETTINGS));
    assert.deepEqual([answer.outcome, answer.message, answer.reason], ['deny', message, 'InvalidInput']);
  }
});

test('image-registry leaves other operations alone', () => {
  for (const operation of ['DELETE', 'CONNECT'] as const) {
    const answer = registry.evaluate(
      createPluginInput({ operation, object: { spec: { containers: [bad] } } }),
    );
    assert.deepEqual([answer.outcome, answer.message], ['allow', `Skipping ${operation} operation`]);
  }
});

test('image-registry refuses a key that is given twice where it matters', () => {
  const containers = JSON.stringify([good]);
  for (const object of [
    `{"spec":{"containers":[]},"spec":{}}`,
    `{"spec":{"containers":${containers},"containers":[]}}`,
    `{"spec":{"containers":[{"image":"a","im\\u0061ge":"b"}]}}`,
  ]) {
    const answer = registry.evaluate(raw(`{"operation":"CREATE","object":${object}}`));
    assert.match(
      answer.message ?? '',
      /^Plugin error: Failed to parse input: the same key twice at byte \d+$/,
    );
  }
  assert.equal(registry.evaluate(raw('{"operation":"CREATE","object":{},"object":{}}')).outcome, 'deny');
});

test('image-registry says where its input stops being JSON', () => {
  const message = (text: string): string | undefined => registry.evaluate(raw(text)).message;
  const start = 'Plugin error: Failed to parse input: ';
  assert.equal(message(''), `${start}expected an object at byte 0`);
  assert.equal(message('{}'), `${start}missing field \`operation\` at byte 2`);
  assert.equal(message('{"operation":"CREATE"'), `${start}expected \`,\` or \`}\` at byte 21`);
  assert.equal(message('{"operation":5}'), `${start}expected a string at byte 13`);
  assert.equal(message('{"operation":"\n"}'), `${start}control character in a string at byte 14`);
  assert.equal(
    registry.evaluate(new Uint8Array([...raw('{"operation":"'), 0xff, ...raw('"}')])).message,
    `${start}not UTF-8 at byte 14`,
  );
});

test('default-labels makes each parent once, and a second run adds nothing', () => {
  const settings = { labels: { a: '1', 'b/c~d': '2' }, annotations: { e: '3' } };
  const evaluate = (object: object): PluginAnswer =>
    labels.evaluate(createPluginInput({ object: object as never }, settings));
  const object = { kind: 'Pod' };
  const { patch } = evaluate(object);
  assert.deepEqual(patch, [
    { op: 'add', path: '/metadata', value: {} },
    { op: 'add', path: '/metadata/labels', value: {} },
    { op: 'add', path: '/metadata/labels/a', value: '1' },
    { op: 'add', path: '/metadata/labels/b~1c~0d', value: '2' },
    { op: 'add', path: '/metadata/annotations', value: {} },
    { op: 'add', path: '/metadata/annotations/e', value: '3' },
  ]);
  const patched = applyPatch(object, patch);
  assert.deepEqual(patched, { kind: 'Pod', metadata: settings });
  assert.equal(evaluate(patched as object).patch, undefined);
});

test('default-labels never patches a deletion', () => {
  const input = createPluginInput({ operation: 'DELETE', oldObject: {} }, { labels: { a: 'b' } });
  const answer = labels.evaluate(input);
  assert.deepEqual([answer.outcome, answer.patch], ['allow', undefined]);
});
