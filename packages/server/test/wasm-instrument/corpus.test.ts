import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkPlans } from './support/check-plan.ts';
import { decoded, instrumented } from './support/instrumented.ts';
import { runPolicy } from './support/plugin-host.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Modules made by real compilers: the example policies, and what lies in installed packages. */
function modulesIn(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.wasm') && !/(^|\/)(target|build|\.git)\//.test(path))
    .map((path) => join(directory, path))
    .sort();
}

function read(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(ROOT, path)));
}

const policies = modulesIn('policies');

test('there are policies to try', { skip: policies.length === 0 && 'no .wasm below policies/' }, () => {
  assert.ok(policies.length > 0);
});

for (const path of [...policies, ...modulesIn('node_modules')]) {
  const bytes = read(path);
  test(
    `${path}: valid when rewritten, and paid for everywhere`,
    { skip: !WebAssembly.validate(bytes) && 'not valid' },
    () => {
      const result = instrumented(bytes);
      assert.ok(WebAssembly.validate(result.bytes));
      const { problems, checked } = checkPlans(decoded(bytes));
      assert.deepEqual(problems, []);
      assert.ok(checked > 0);
    },
  );
}

function pod(images: readonly string[]): string {
  const containers = images.map((image, index) => ({
    name: `c${index}`,
    image,
    note: 'ä "quoted" \\ \u{1f600}',
  }));
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', labels: { a: '1' } },
    spec: { containers },
  };
  const userInfo = { username: 'ana', groups: ['ops'], extra: {} };
  return JSON.stringify({ operation: 'CREATE', object, namespace: 'n', name: 'p', userInfo, context: {} });
}

const DOCUMENT = pod(['docker.io/library/nginx:1.27', 'quay.io/acme/core@sha256:00', 'nginx']);

/** Good, empty, cut off at many places, with bytes that do not belong there. */
const INPUTS: readonly string[] = [
  DOCUMENT,
  pod([]),
  '',
  '{}',
  'null',
  '['.repeat(3000),
  DOCUMENT.replaceAll('"', "'"),
  DOCUMENT.replace('CREATE', '\u0000'),
  ...Array.from({ length: 12 }, (_, part) => DOCUMENT.slice(0, part * 37)),
];

for (const path of policies) {
  const bytes = read(path);
  const plain = new WebAssembly.Module(bytes);
  const imports = WebAssembly.Module.imports(plain);
  const foreign =
    imports.some(({ module }) => module !== 'env') ||
    !decoded(bytes).exports.some(({ name }) => name === 'validate');
  test(
    `${path}: does the same metered as plain, for the same fuel in all slices`,
    { skip: foreign && 'not a plugin' },
    () => {
      const metered = new WebAssembly.Module(instrumented(bytes).bytes);
      for (const text of INPUTS) {
        const input = Buffer.from(text);
        const expected = runPolicy(plain, input);
        const { fuel, ...seen } = runPolicy(metered, input);
        assert.deepEqual({ ...seen, fuel: 0 }, expected, text.slice(0, 60));
        assert.ok(fuel > 0);
        for (const slice of [1, 997, 50_000]) assert.equal(runPolicy(metered, input, slice).fuel, fuel);
      }
    },
  );
}
