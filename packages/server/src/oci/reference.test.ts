import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Fault, isFault } from '../kernel/fault.ts';
import { formatReference, parseArtifactReference, parseReference } from './reference.ts';

const HEX = 'a'.repeat(64);

// The first ones are cases of distribution/reference: reference_test.go and normalize_test.go.
for (const [text, full] of [
  ['redis', 'docker.io/library/redis:latest'],
  ['foo/bar', 'docker.io/foo/bar:latest'],
  ['docker.io/redis', 'docker.io/library/redis:latest'],
  ['index.docker.io/library/redis:7', 'docker.io/library/redis:7'],
  ['localhost/foo', 'localhost/foo:latest'],
  ['test.com/repo:tag', 'test.com/repo:tag'],
  ['test:5000/repo', 'test:5000/repo:latest'],
  ['test:5000/repo:tag', 'test:5000/repo:tag'],
  [`test:5000/repo@sha256:${HEX}`, `test:5000/repo@sha256:${HEX}`],
  [`test:5000/repo:tag@sha256:${HEX}`, `test:5000/repo:tag@sha256:${HEX}`],
  [`test.com/a@sha512:${HEX}${HEX}`, `test.com/a@sha512:${HEX}${HEX}`],
  ['Uppercase/lowercase', 'Uppercase/lowercase:latest'],
  ['[::1]:5000/repo', '[::1]:5000/repo:latest'],
  ['a-b.example/x__y/z.1-2', 'a-b.example/x__y/z.1-2:latest'],
  ['foo_bar.com:8080', 'docker.io/library/foo_bar.com:8080'],
  ['test.com:8080/a_b:_x.Y-1', 'test.com:8080/a_b:_x.Y-1'],
] as const) {
  test(`reference ${text}`, () => {
    const parsed = parseReference(text);
    assert.ok(!isFault(parsed));
    assert.equal(formatReference(parsed), full);
  });
}

for (const text of [
  '',
  ':justtag',
  `@sha256:${HEX}`,
  'repo@sha256:ffffffff',
  `repo@md5:${'a'.repeat(32)}`,
  `repo@sha256:${HEX.toUpperCase()}`,
  `repo@sha256:${HEX}@sha256:${HEX}`,
  'Uppercase:tag',
  'test:5000/Uppercase/lowercase:tag',
  'aa/asdf$$^/aa',
  'a//b',
  'test.com/',
  'test.com/a/',
  'test.com/a:',
  'test.com/a:b:c',
  'test.com/-a',
  'test.com/a..b',
  'test.com/../secret',
  'test.com:99999/a',
  '1.2.3.999/a',
  'user@test.com/a',
  'https://test.com/a',
  'test.com/a?b=c',
  'test.com/a\n',
  HEX,
  `test.com/${'a/'.repeat(128)}a`,
  `test.com/a:${'x'.repeat(129)}`,
]) {
  test(`no reference: ${JSON.stringify(text)}`, () => {
    assert.equal((parseReference(text) as Fault).code, 'PC_OCI_REFERENCE');
  });
}

test('schemes of other tools stand before references of artifacts only', () => {
  assert.deepEqual(
    parseArtifactReference('registry://ghcr.io/acme/labels:v1'),
    parseReference('ghcr.io/acme/labels:v1'),
  );
  assert.deepEqual(
    parseArtifactReference('oci://ghcr.io/acme/labels:v1'),
    parseReference('ghcr.io/acme/labels:v1'),
  );
  assert.ok(isFault(parseReference('oci://ghcr.io/acme/labels:v1')));
});

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,5}[a-z0-9])?$/);
const component = fc.stringMatching(/^[a-z0-9]{1,4}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const registry = fc
  .tuple(label, label, fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }))
  .map(([a, b, port]) => `${a}.x${b}${port === undefined ? '' : `:${port}`}`);
const reference = fc.record({
  registry,
  path: fc.array(component, { minLength: 1, maxLength: 4 }),
  tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}$/), { nil: undefined }),
  digest: fc.option(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), { nil: undefined }),
});

test('what is written by the grammar is read as it was meant', () => {
  fc.assert(
    fc.property(reference, ({ registry: host, path, tag, digest }) => {
      const text = `${host}/${path.join('/')}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
      const expected = {
        registry: host,
        repository: path.join('/'),
        ...(tag === undefined && digest !== undefined ? {} : { tag: tag ?? 'latest' }),
        ...(digest === undefined ? {} : { digest }),
      };
      assert.deepEqual(parseReference(text), expected);
    }),
    { seed: 5, numRuns: 500 },
  );
});

test('any text is a reference that reads the same again, and makes a URL below its repository, or a fault', () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          'a',
          'B',
          '.',
          ':',
          '/',
          '@',
          '-',
          '_',
          '..',
          '[',
          ']',
          'sha256:',
          HEX,
          '5000',
          '%2f',
          '?',
        ),
      )
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(pieces, (text) => {
      const parsed = parseReference(text);
      if (isFault(parsed)) return;
      assert.deepEqual(parseReference(formatReference(parsed)), parsed);
      const url = new URL(`/v2/${parsed.repository}/manifests/x`, `https://${parsed.registry}`);
      assert.equal(url.pathname, `/v2/${parsed.repository}/manifests/x`);
      assert.equal(url.username + url.search + url.hash, '');
    }),
    { seed: 5, numRuns: 3000 },
  );
});
