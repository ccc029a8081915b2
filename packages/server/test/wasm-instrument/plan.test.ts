import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPlans } from './support/check-plan.ts';
import { generateModule } from './support/generate-module.ts';
import { decoded } from './support/instrumented.ts';
import { wat } from './support/wat.ts';

test('no way through a generated function uses more than was paid for it', () => {
  let checked = 0;
  for (let seed = 1; seed <= 800; seed++) {
    const result = checkPlans(decoded(wat(generateModule(seed, seed % 3 === 0).text)));
    assert.deepEqual(result.problems, [], `seed ${seed}`);
    checked += result.checked;
  }
  assert.ok(checked > 100_000, `${checked} instructions`);
});

test('the check finds an instruction that nobody paid for', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const module = decoded(wat(generateModule(seed).text));
    assert.deepEqual(checkPlans(module).problems, []);
    assert.notDeepEqual(checkPlans(module, 1).problems, [], `seed ${seed}`);
  }
});
