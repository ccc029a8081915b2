import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonPatch, JsonValue } from '@portcullis/contract';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { applyJsonPatch } from '../../src/kernel/json-patch/apply-json-patch.ts';
import { checkEmission } from '../../src/kernel/json-patch/check-emission.ts';
import { type DiffOptions, diffToPatch } from '../../src/kernel/json-patch/diff-to-patch.ts';
import { parseJsonPatch } from '../../src/kernel/json-patch/parse-json-patch.ts';
import { jsonEqual } from '../../src/kernel/json/json-equal.ts';
import { parseJson } from '../../src/kernel/json/parse-json.ts';

interface Result {
  readonly patch: JsonPatch;
  readonly kept: readonly string[];
}

function diff(before: JsonValue, after: JsonValue, options: DiffOptions = { removals: 'protect' }): Result {
  const difference = diffToPatch(before, after, options);
  assert.ok(!isFault(difference), isFault(difference) ? difference.message : '');
  const { patch, kept } = difference;
  return { patch, kept };
}

function refusal(
  before: JsonValue,
  after: JsonValue,
  options: DiffOptions = { removals: 'protect' },
): string[] {
  const fault = diffToPatch(before, after, options);
  assert.ok(isFault(fault));
  return [fault.code, fault.message];
}

const container = { name: 'app', image: 'a:1', newField: { x: 1 } };
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', labels: { a: '1', b: '2' } },
  spec: {
    newFeature: true,
    empty: null,
    containers: [container, { name: 'side', image: 's:1' }],
    args: ['-v', '-v', 'x'],
  },
};

test('the example of the rules: one addition, one kept field', () => {
  const { newFeature: _lost, ...spec } = pod.spec;
  const after = { ...pod, metadata: { ...pod.metadata, annotations: { 'a/b~c': 'x' } }, spec };
  assert.deepEqual(diff(pod, after), {
    patch: [{ op: 'add', path: '/metadata/annotations', value: { 'a/b~c': 'x' } }],
    kept: ['/spec/newFeature'],
  });
});

test('what is missing: elements and entries of string maps go, null says nothing, other fields stay', () => {
  const after = {
    ...pod,
    metadata: { name: 'p', labels: { a: '1' } },
    spec: { containers: [{ name: 'app', image: 'a:2' }], args: ['-v', 'x'] },
  };
  assert.deepEqual(diff(pod, after), {
    patch: [
      { op: 'remove', path: '/metadata/labels/b' },
      { op: 'replace', path: '/spec/containers/0/image', value: 'a:2' },
      { op: 'remove', path: '/spec/containers/1' },
      { op: 'remove', path: '/spec/args/1' },
    ],
    kept: ['/spec/newFeature', '/spec/containers/0/newField'],
  });
  assert.deepEqual(refusal(pod, after, { removals: 'refuse' }), [
    'PC_PLUGIN_MUTATION',
    'fields are missing from the new object: /spec/newFeature, /spec/containers/0/newField; declare them as removable',
  ]);
});

test('declared fields are removed, the rest is kept or refused', () => {
  const after = {
    ...pod,
    spec: { ...pod.spec, newFeature: null, containers: [{ name: 'app', image: 'a:1' }, { name: 'side' }] },
  };
  const removable = ['/spec/newFeature', '/spec/containers/*/newField'];
  assert.deepEqual(diff(pod, after, { removals: 'protect', removable }), {
    patch: [
      { op: 'remove', path: '/spec/newFeature' },
      { op: 'remove', path: '/spec/containers/0/newField' },
    ],
    kept: ['/spec/containers/1/image'],
  });
  assert.equal(
    refusal(pod, after, { removals: 'refuse', removable })[1],
    'fields are missing from the new object: /spec/containers/1/image; declare them as removable',
  );
  assert.throws(() => diffToPatch(pod, pod, { removals: 'protect', removable: ['spec'] }), TypeError);
});

test('honour takes the answer as it is', () => {
  const after = { ...pod, spec: { containers: [container], args: [], other: null } };
  const { patch, kept } = diff(pod, after, { removals: 'honour' });
  assert.deepEqual(kept, []);
  assert.deepEqual(applyJsonPatch(pod, patch), after);
});

test('a map named as a string map that holds objects is protected', () => {
  const before = { apiVersion: 'v1', kind: 'K', data: { a: { b: 1 }, c: 'x' } };
  assert.deepEqual(diff(before, { apiVersion: 'v1', kind: 'K', data: { c: 'x' } }), {
    patch: [],
    kept: ['/data/a'],
  });
});

test('identity may be left out, not changed', () => {
  assert.deepEqual(diff(pod, { metadata: pod.metadata, spec: pod.spec }, { removals: 'honour' }).patch, []);
  assert.deepEqual(diff(pod, { ...pod, kind: null }).patch, []);
  assert.deepEqual(refusal(pod, { ...pod, kind: 'Node' }), [
    'PC_PLUGIN_MUTATION',
    'the new object has another `kind`',
  ]);
  assert.deepEqual(refusal(pod, { ...pod, apiVersion: 'v2' }), [
    'PC_PLUGIN_MUTATION',
    'the new object has another `apiVersion`',
  ]);
  assert.deepEqual(refusal(pod, [pod]), ['PC_PLUGIN_MUTATION', 'the new object is not an object']);
});

test('empty values are kept when added, null is not', () => {
  const after = { ...pod, status: null, extra: { emptyDir: {}, list: [], gone: null } };
  assert.deepEqual(diff(pod, after).patch, [
    { op: 'add', path: '/extra', value: { emptyDir: {}, list: [] } },
  ]);
});

test('numbers are compared by value and big ones left alone', () => {
  const before = parseJson(Buffer.from('{"kind":"K","a":12345678901234567890,"b":1.0,"c":2}'));
  const after = parseJson(Buffer.from('{"kind":"K","a":12345678901234567890.0,"b":1,"c":3}'));
  assert.ok(!isFault(before) && !isFault(after));
  assert.deepEqual(diff(before, after).patch, [{ op: 'replace', path: '/c', value: 3 }]);
});

test('a changed order replaces the array, with what was protected', () => {
  const after = {
    ...pod,
    spec: {
      ...pod.spec,
      containers: [
        { name: 'side', image: 's:1' },
        { name: 'app', image: 'a:1' },
      ],
    },
  };
  assert.deepEqual(diff(pod, after), {
    patch: [{ op: 'replace', path: '/spec/containers', value: [pod.spec.containers[1], container] }],
    kept: ['/spec/containers/0/newField'],
  });
});

test('elements are told apart by the first identity that is unique', () => {
  const mounts = (paths: string[]): JsonObject[] =>
    paths.map((mountPath) => ({ name: 'v', mountPath, unknown: mountPath }));
  const before = { kind: 'K', mounts: mounts(['/a', '/b']) };
  const after = { kind: 'K', mounts: [{ name: 'v', mountPath: '/b' }] };
  assert.deepEqual(diff(before, after), {
    patch: [{ op: 'remove', path: '/mounts/0' }],
    kept: ['/mounts/1/unknown'],
  });

  const ports = { kind: 'K', ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }] };
  assert.deepEqual(
    diff(ports, { kind: 'K', ports: [{ containerPort: 53, protocol: 'TCP', hostPort: 1 }] }).patch,
    [
      { op: 'add', path: '/ports/1/protocol', value: 'TCP' },
      { op: 'add', path: '/ports/1/hostPort', value: 1 },
      { op: 'remove', path: '/ports/0' },
    ],
  );
});

test('a hostile key cannot reach a prototype', () => {
  const before = parseJson(Buffer.from('{"kind":"K","__proto__":{"a":1}}'));
  const after = parseJson(Buffer.from('{"kind":"K","__proto__":{"a":2},"x":{"__proto__":{"b":1}}}'));
  assert.ok(!isFault(before) && !isFault(after));
  const { patch } = diff(before, after);
  assert.deepEqual(patch[0], { op: 'replace', path: '/__proto__/a', value: 2 });
  assert.equal(JSON.stringify(applyJsonPatch(before, patch)), JSON.stringify(after));
});

const leaf = fc.constantFrom<JsonValue>(null, true, 0, 1, 'x', 'y', {}, []);
const { object } = fc.letrec<{ object: JsonObject; array: JsonValue; any: JsonValue }>((tie) => ({
  any: fc.oneof({ maxDepth: 4, depthIdentifier: 'json' }, leaf, tie('object'), tie('array')),
  array: fc.array(tie('any'), { maxLength: 4 }),
  object: fc.dictionary(
    fc.constantFrom('name', 'key', 'a', 'b', '0', 'labels', '__proto__', '~/'),
    tie('any'),
    {
      maxKeys: 4,
      noNullPrototype: true,
    },
  ),
}));

test('under honour the patch leads from one object to the other', () => {
  fc.assert(
    fc.property(object, object, (left, right) => {
      const input = JSON.stringify([left, right]);
      const { patch } = diff(left, right, { removals: 'honour' });
      assert.equal(JSON.stringify([left, right]), input);
      assert.ok(jsonEqual(applyJsonPatch(left, patch) as JsonValue, right));
      assert.equal(checkEmission(patch), undefined);
      assert.deepEqual(parseJsonPatch(JSON.parse(JSON.stringify(patch))), patch);
    }),
    { seed: 7, numRuns: 3000 },
  );
});

test('under protect it applies, repeats to nothing, and loses no field', () => {
  fc.assert(
    fc.property(object, object, (left, right) => {
      const { patch } = diff(left, right);
      const merged = applyJsonPatch(left, patch);
      assert.ok(!isFault(merged));
      assert.deepEqual(diff(merged, merged).patch, []);
      for (const key of Object.keys(left)) assert.ok(Object.hasOwn(merged as object, key), key);
    }),
    { seed: 8, numRuns: 3000 },
  );
});

test('of many fields that stay the first are named and the others counted, at any depth', () => {
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${index}`, index]));
  const nested = (inner: JsonValue): JsonObject => {
    let value = inner;
    for (let depth = 0; depth < 400; depth++) value = { a: value };
    return value as JsonObject;
  };
  const difference = diffToPatch(nested(wide), nested({}), { removals: 'protect' });
  assert.ok(!isFault(difference));
  assert.deepEqual(difference.patch, []);
  assert.equal(difference.kept.length, 20);
  assert.equal(difference.kept[0], `${'/a'.repeat(400)}/f0`);
  assert.equal(difference.keptUnnamed, 4980);
});
