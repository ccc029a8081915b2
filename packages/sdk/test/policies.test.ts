import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { createPluginHarness, loadTestSuite, runTestCase, SUITE_KEYS } from '../src/index.ts';

const POLICIES = join(import.meta.dirname, '../../../policies');
const files = (await Array.fromAsync(glob('*/tests/*.yaml', { cwd: POLICIES }))).sort();

test('every example policy has a suite', async () => {
  const policies = await Array.fromAsync(glob('*/policy.yaml', { cwd: POLICIES }));
  const covered = new Set(files.map((file) => dirname(dirname(file))));
  assert.deepEqual(covered, new Set(policies.map((file) => dirname(file))));
});

for (const file of files) {
  const suite = await loadTestSuite(join(POLICIES, file), (text) => parse(text));
  // Suites of other engines run with `portcullis test`.
  if (suite.engine !== 'plugin') continue;
  const harness = await createPluginHarness(await readFile(suite.module));
  for (const item of suite.cases) {
    test(`${dirname(dirname(file))}, ${basename(file, '.yaml')}: ${item.name}`, (context) => {
      const failures = runTestCase(harness, item);
      if (failures === 'skipped') context.skip('about what the policy matches: for `portcullis test`');
      else assert.deepEqual(failures, []);
    });
  }
}

test('the published schema of suites knows the keys that the reader knows', async () => {
  const schema = JSON.parse(await readFile(join(POLICIES, 'test-suite.schema.json'), 'utf8'));
  assert.deepEqual(Object.keys(schema.properties), SUITE_KEYS.suite);
  for (const kind of ['case', 'review', 'expectation'] as const) {
    assert.deepEqual(Object.keys(schema.$defs[kind].properties), SUITE_KEYS[kind], kind);
  }
});
