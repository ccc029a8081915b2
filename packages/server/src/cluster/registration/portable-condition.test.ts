import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portableCondition } from './portable-condition.ts';

test('what means the same to an API server is written anew', () => {
  const cases: readonly (readonly [string, string])[] = [
    [`request.name == 'a'`, '(request.name == "a")'],
    [
      `!(request.operation in ['CREATE', 'UPDATE']) && has(object.metadata.labels)`,
      '(!((request.operation in ["CREATE", "UPDATE"])) && has(object.metadata.labels))',
    ],
    [`object.spec.n > 1 || object['a-b'] == "x"`, '((object.spec.n > 1) || (object["a-b"] == "x"))'],
    [`object.spec.c.all(c, c.image.startsWith('q'))`, 'object.spec.c.all(c, c.image.startsWith("q"))'],
    [`request.userInfo.groups.exists(g, g == 'a')`, 'request.userInfo.groups.exists(g, (g == "a"))'],
    [`size(object.spec) == 1 ? true : false`, '(((size(object.spec) == 1)) ? (true) : (false))'],
    [`oldObject == null`, '(oldObject == null)'],
    [`'a' in object.metadata.finalizers`, '("a" in object.metadata.finalizers)'],
  ];
  for (const [expression, expected] of cases) assert.equal(portableCondition(expression), expected);
});

test('what an API server would refuse, or read differently, stays with us', () => {
  const refused = [
    'request.object.spec.n == 1',
    'request.resource.version == "v1"',
    'request.unknown == "a"',
    'request.name == 1',
    'request.dryRun == "true"',
    'request.userInfo.extra == {}',
    'request == null',
    'request.userInfo.groups == "a"',
    'object.spec.ok',
    'object.in == 1',
    '1.5 > 2.0',
    '1u == 2u',
    'object.?a.orValue(1) == 2',
    `object.name.matches('a+')`,
    `'a' in [1, 2]`,
    `1 in ['a']`,
    'object.a + 1 == 2',
    `object.list.exists(object, object == 'a')`,
    'object.list.exists_one(x, x == 1)',
    `isIP(object.ip)`,
    'object ==',
  ];
  for (const expression of refused) assert.equal(portableCondition(expression), undefined, expression);
});
