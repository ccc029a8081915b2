import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { parseAdmissionReview } from '../../src/gates/kube-admission/parse-admission-review.ts';

/** Strings are cut from one text where they can be and decoded one by one elsewhere: the review may not tell which. */
type Members = Record<'uid' | 'name' | 'namespace' | 'username', string>;

function requestOf({ uid, name, namespace, username }: Members): [string, unknown][] {
  return [
    ['uid', uid],
    ['name', name],
    ['namespace', namespace],
    ['userInfo', { username }],
    ['operation', 'CREATE'],
    ['kind', { group: '', version: 'v1', kind: 'Pod' }],
    ['resource', { group: '', version: 'v1', resource: 'pods' }],
    ['object', { metadata: { name } }],
  ];
}

function readBack(members: Members, request: [string, unknown][], before = ''): void {
  const envelope = {
    before,
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: Object.fromEntries(request),
  };
  const parsed = parseAdmissionReview(Buffer.from(JSON.stringify(envelope)), 5);
  assert.ok(!isFault(parsed), isFault(parsed) ? parsed.message : '');
  const { uid, name, namespace, user, kind, object } = parsed.review;
  assert.deepEqual({ uid, name, namespace, username: user.username }, { ...members });
  assert.deepEqual(kind, { group: '', version: 'v1', kind: 'Pod' });
  assert.deepEqual(object?.value(), { metadata: { name: members.name } });
}

test('strings of any characters, members in any order', () => {
  const text = fc.oneof(
    fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
    fc.string({ minLength: 1, unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom('checkout-6d4f8b7c9d-x2x7q', 'quote " and \\ in a long name', '😀', '\\', '\u0000\u001f'),
  );
  const members = fc.record({ uid: text, name: text, namespace: text, username: text });
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
  fc.assert(
    fc.property(members, order, (strings, places) => {
      const request = requestOf(strings);
      readBack(
        strings,
        places.map((place) => request[place] as [string, unknown]),
      );
    }),
    { seed: 21, numRuns: 1000 },
  );
});

test('strings around the end of the text that they are cut from, with a longer character there', () => {
  const members: Members = {
    uid: 'u-1',
    name: 'a name of 24 characters.',
    namespace: 'shop',
    username: 'ana',
  };
  const [uid, ...others] = requestOf(members) as [[string, unknown], ...[string, unknown][]];
  for (const character of ['x', 'é', '—', '😀']) {
    for (let length = 3900; length <= 4110; length++) readBack(members, [uid, ...others], 'x'.repeat(length));
    for (let length = 3600; length <= 3900; length++) {
      const filler: [string, unknown] = ['options', 'x'.repeat(length) + character];
      readBack(members, [uid, filler, ...others]);
      readBack(members, [...others.slice(0, 3), filler, uid, ...others.slice(3)]);
    }
  }
});

test('a flag is a flag before the object and behind it', () => {
  const members: Members = { uid: 'u-1', name: 'web', namespace: 'shop', username: 'ana' };
  for (const [flag, expected] of [
    ['true', true],
    ['false', false],
    ['null', false],
    ['"true"', undefined],
    ['1', undefined],
    ['{}', undefined],
    ['""', undefined],
  ] as const) {
    const request = JSON.stringify(Object.fromEntries(requestOf(members))).slice(1, -1);
    for (const text of [`{"dryRun":${flag},${request}}`, `{${request},"dryRun":${flag}}`]) {
      const parsed = parseAdmissionReview(
        Buffer.from(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":${text}}`),
        5,
      );
      assert.equal(isFault(parsed) ? undefined : parsed.review.dryRun, expected, text);
    }
  }
});
