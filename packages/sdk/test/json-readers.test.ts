import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createPluginHarness, createPluginInput, type PluginAnswer } from '../src/index.ts';

/** Every JSON reader of the repository that runs inside a policy, held against JSON.parse. */
const POLICIES = join(import.meta.dirname, '../../../policies');
const MODULES = ['image-registry', 'image-registry-assemblyscript', 'default-labels'];
const SEED = 20_261_121;
const UNREADABLE = 'Plugin error: Failed to parse input: ';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A whole input around a document, with the same settings everywhere; `text` is JSON, or what was JSON. */
const inputWith = (text: string): string =>
  `{"operation":"DELETE","x":${text},"namespace":"","name":"","userInfo":{"username":"a"},"context":{}}`;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Single characters taken out, put in, and doubled; and a cut. */
const mutation = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('delete', 'insert', 'replace', 'cut', 'double'),
  character: fc.constantFrom(...Array.from('{}[]",:\\/0123456789.-+eEtfnrulas \n\t\u0000\u001f\u007fü😀')),
});

function mutate(text: string, changes: readonly { at: number; kind: string; character: string }[]): string {
  return changes.reduce((current, { at, kind, character }) => {
    const position = at % (current.length + 1);
    const [before, after] = [current.slice(0, position), current.slice(position)];
    if (kind === 'delete') return before + after.slice(1);
    if (kind === 'insert') return before + character + after;
    if (kind === 'replace') return before + character + after.slice(1);
    return kind === 'cut' ? before : before + before.slice(-5) + after;
  }, text);
}

for (const name of MODULES) {
  const harness = await createPluginHarness(await readFile(join(POLICIES, name, `${name}.wasm`)));
  const settings = name === 'default-labels' ? { labels: { a: 'b' } } : { registries: ['ghcr.io/acme'] };

  /** Without a settings key the second policy denies; that it read the input is what counts here. */
  const isRead = (input: string | Uint8Array): boolean => {
    const answer = harness.evaluate(typeof input === 'string' ? encode(input) : input);
    assert.notEqual(answer.outcome, 'fault', answer.message ?? '');
    return answer.message?.startsWith(UNREADABLE) !== true;
  };

  test(`${name} reads every document that JSON.stringify writes`, () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const input = inputWith(JSON.stringify(JSON.parse(text), undefined, indent));
        assert.ok(isRead(input), input);
      }),
      { seed: SEED, numRuns: 600 },
    );
  });

  test(`${name} refuses exactly what JSON.parse refuses`, () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4, stringUnit: 'binary' }),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (text, changes) => {
          const input = mutate(inputWith(text), changes);
          // What only JSON.parse knows: a changed key or value may make another input, still JSON.
          if (!isJson(input)) refused += 1;
          const isComplete = isJson(input) && hasOneTextOperation(input);
          assert.equal(isRead(input.toWellFormed()), isComplete, JSON.stringify(input));
        },
      ),
      { seed: SEED, numRuns: 1500 },
    );
    assert.ok(refused > 500, `only ${refused} documents were spoilt`);
  });

  test(`${name} answers any bytes`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assert.ok(!isRead(bytes))),
      { seed: SEED, numRuns: 600 },
    );
  });

  test(`${name} refuses deep nesting and lives`, () => {
    for (const depth of [600, 100_000]) {
      assert.ok(!isRead(inputWith('['.repeat(depth) + ']'.repeat(depth))), `${depth} lists`);
      assert.ok(!isRead(inputWith('{"a":'.repeat(depth) + '1' + '}'.repeat(depth))), `${depth} objects`);
      assert.ok(!isRead('['.repeat(depth)), `${depth} open lists`);
    }
    assert.ok(isRead(inputWith('['.repeat(500) + ']'.repeat(500))));
  });

  test(`${name} judges an object of megabytes`, () => {
    const object = {
      metadata: { annotations: Object.fromEntries(range(20_000, (n) => [`k${n}`, 'x'.repeat(90)])) },
    };
    const answer = harness.evaluate(createPluginInput({ object }, settings));
    assert.equal(answer.outcome, 'allow', answer.message ?? '');
  });

  test(`${name} gives the same answer however the input is spelt`, () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 });
    const object = fc.record({
      metadata: fc.record({ labels: fc.dictionary(text, text), annotations: fc.constant({}) }),
      spec: fc.record({
        containers: fc.array(fc.record({ image: text, [`x"\\/`]: text }), { maxLength: 3 }),
      }),
    });
    fc.assert(
      fc.property(object, (value) => {
        const plain = JSON.stringify(createPluginInput({ object: value }, settings));
        const answers = [plain, escapeAll(plain), JSON.stringify(JSON.parse(plain), undefined, 2)].map(
          (input) => harness.evaluate(encode(input)),
        );
        for (const answer of answers) assert.deepEqual(answer, answers[0]);
        assert.notEqual(answers[0]?.outcome, 'fault');
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
}

const HOSTS = ['docker.io', 'index.docker.io', 'ghcr.io', 'localhost', 'localhost:5000', 'quay.io', 'r.io'];
const PATH_PARTS = [
  'library',
  'acme',
  'acme-evil',
  'one',
  'repo',
  'dir',
  'nginx',
  'nginx:1.29',
  'Repo',
  '..',
  '',
  'repo:tag',
  'repo@sha256:00',
  'x y',
];

/** The rule of the image registry policies in TypeScript, for random images. */
test('image-registry decides like its rule written in TypeScript', async () => {
  const harness = await createPluginHarness(
    await readFile(join(POLICIES, 'image-registry/image-registry.wasm')),
  );
  const registries = ['docker.io/library', 'ghcr.io/acme', 'localhost:5000', 'quay.io/one/repo', 'r.io/dir/'];
  const part = fc.constantFrom(...HOSTS, ...PATH_PARTS);
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const image = parts.join('/');
      fc.pre(image !== '');
      const answer = evaluate(image);
      assert.equal(answer.outcome === 'allow', isApproved(image, registries), image);
      if (answer.outcome === 'deny') {
        assert.deepEqual(
          answer.errors.map(({ field, invalidValue }) => [field, invalidValue]),
          [['spec.template.spec.initContainers[1].image', image]],
        );
      }
    }),
    { seed: SEED, numRuns: 1500 },
  );

  function evaluate(image: string): PluginAnswer {
    const initContainers = [{ image: 'ghcr.io/acme/init' }, { image }];
    const object = { spec: { template: { spec: { initContainers } } } };
    return harness.evaluate(createPluginInput({ object }, { registries }));
  }
});

function isApproved(image: string, registries: readonly string[]): boolean {
  if (!/^[\w.:@/-]+$/.test(image) || image.startsWith('/') || /\/\/|\.\./.test(image)) return false;
  const [first = '', ...rest] = image.split('/');
  const hasHost = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const host = hasHost ? first.replace(/^index\.docker\.io$/, 'docker.io') : 'docker.io';
  const path = hasHost ? rest.join('/') : image;
  const full = `${host}/${host === 'docker.io' && !path.includes('/') ? 'library/' : ''}${path}`;
  return registries.some((registry) => {
    if (registry.endsWith('/')) return full.startsWith(registry);
    if (full.startsWith(`${registry}/`)) return true;
    return (
      registry.includes('/') &&
      (full === registry || /^[:@]/.test(full.startsWith(registry) ? full.slice(registry.length) : ''))
    );
  });
}

/** The members that make an input readable, as the policies demand them; JSON.parse has seen the rest. */
function hasOneTextOperation(input: string): boolean {
  const value: unknown = JSON.parse(input);
  const operation = (value as { operation?: unknown } | null)?.operation;
  return typeof operation === 'string' && operation !== '';
}

/** Every character of every string as an escape. */
function escapeAll(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"/g, (literal) => {
    const units = Array.from({ length: (JSON.parse(literal) as string).length }, (_, index) =>
      (JSON.parse(literal) as string).charCodeAt(index).toString(16).padStart(4, '0'),
    );
    return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
  });
}

function range<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
