import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkPlans } from './support/check-plan.ts';
import { decoded, instrumented } from './support/instrumented.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Modules made by real compilers: the example policies, and what lies in installed packages. */
function modulesIn(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.wasm') && !/(^|\/)(target|build|\.git)\//.test(path))
    .map((path) => join(directory, path))
    .sort();
}

const policies = modulesIn('policies');
const others = modulesIn('node_modules');

test('there are policies to try', { skip: policies.length === 0 && 'no .wasm below policies/' }, () => {
  assert.ok(policies.length > 0);
});

for (const path of [...policies, ...others]) {
  test(`${path}: rewritten, valid, paid for everywhere`, () => {
    const bytes = new Uint8Array(readFileSync(join(ROOT, path)));
    if (!WebAssembly.validate(bytes)) return;
    const result = instrumented(bytes);
    assert.ok(WebAssembly.validate(result.bytes));
    const { problems, checked } = checkPlans(decoded(bytes));
    assert.deepEqual(problems, []);
    assert.ok(checked > 0);
    assert.equal(result.layout.resettable, true);
  });
}
