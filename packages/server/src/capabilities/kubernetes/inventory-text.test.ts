import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../kernel/fault.ts';
import type { KubeResource } from '../../kube/resource.ts';
import { gatekeeperLayout, kindTexts, opaLayout, type KindTexts } from './inventory-text.ts';

function texts(resource: Partial<KubeResource>, objects: Readonly<Record<string, number>>): KindTexts {
  const whole = { group: '', version: 'v1', plural: 'pots', kind: 'Pot', namespaced: true, ...resource };
  const items = Object.entries(objects).map(([key, value]) => {
    const namespace = key.includes('/') ? key.slice(0, key.indexOf('/')) : undefined;
    return [key, { namespace, labels: {}, text: String(value), bytes: 1, masked: new Map() }] as const;
  });
  return kindTexts(whole, items);
}

const NAMESPACES = { plural: 'namespaces', kind: 'Namespace', namespaced: false };
const LIDS = { group: 'kitchen.test', plural: 'lids', kind: 'Lid' };

test('with namespaces and without, in both layouts', () => {
  const kinds = [
    texts({}, { 'a/x': 1, 'b/x': 2, 'a/y': 3 }),
    texts(NAMESPACES, { a: 4, b: 5 }),
    texts(LIDS, { 'b/x': 6 }),
  ];
  const opa = opaLayout(kinds);
  assert.ok(!isFault(opa));
  assert.deepEqual(JSON.parse(opa), {
    pots: { a: { x: 1, y: 3 }, b: { x: 2 } },
    namespaces: { a: 4, b: 5 },
    lids: { b: { x: 6 } },
  });
  assert.deepEqual(JSON.parse(gatekeeperLayout(kinds)), {
    cluster: { v1: { Namespace: { a: 4, b: 5 } } },
    namespace: {
      a: { v1: { Pot: { x: 1, y: 3 } } },
      b: { v1: { Pot: { x: 2 } }, 'kitchen.test/v1': { Lid: { x: 6 } } },
    },
  });
});

test('kinds without objects are there, and empty', () => {
  const kinds = [texts({}, {}), texts(NAMESPACES, {})];
  assert.equal(opaLayout(kinds), '{"pots":{},"namespaces":{}}');
  assert.equal(gatekeeperLayout(kinds), '{"cluster":{},"namespace":{}}');
});

test('names that mean something to JavaScript are names', () => {
  const kinds = [texts(NAMESPACES, { ['__proto__']: 1, constructor: 2, 'a"b': 3 })];
  const parsed = JSON.parse(String(opaLayout(kinds))) as { namespaces: object };
  assert.deepEqual(Object.entries(parsed.namespaces), [
    ['__proto__', 1],
    ['constructor', 2],
    ['a"b', 3],
  ]);
  assert.match(gatekeeperLayout([texts({}, { '__proto__/x': 1 })]), /"namespace":\{"__proto__":\{/);
});

test('two groups with one plural share its place, if both have namespaces or neither', () => {
  const both = [texts({}, { 'a/x': 1 }), texts({ group: 'kitchen.test' }, { 'a/y': 2, 'c/z': 3 })];
  assert.deepEqual(JSON.parse(String(opaLayout(both))), { pots: { a: { x: 1, y: 2 }, c: { z: 3 } } });
  const mixed = opaLayout([texts({}, {}), texts({ group: 'kitchen.test', namespaced: false }, { x: 1 })]);
  assert.ok(isFault(mixed));
  assert.equal(
    `${mixed.code}: ${mixed.message}`,
    'PC_CAPABILITY_INPUT: one of two kinds `pots` has namespaces and the other has not',
  );
});
