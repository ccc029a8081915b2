import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildPolicy, compareBehaviour, EXIT, listPolicies, main } from './build-policies.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'build-policies-'));
});
after(() => rm(folder, { recursive: true }));

const policyNamed = async (name: string): Promise<string> => {
  const found = (await listPolicies()).find((policy) => basename(policy) === name);
  assert.ok(found);
  return found;
};

test('a rebuilt module behaves like the committed one', async () => {
  const lines: string[] = [];
  const only = 'default-labels';
  const options = { check: true, require: true, installToolchain: false, out: undefined, only };
  assert.equal(await main(options, (line) => lines.push(line)), EXIT.done);
  assert.deepEqual(lines, ['default-labels: built']);
});

test('another behaviour is told, case by case', async () => {
  const other = join(folder, 'other.wasm');
  assert.equal(buildPolicy(await policyNamed('image-registry-assemblyscript'), other), 'built');
  const differences = await compareBehaviour(await policyNamed('image-registry'), other);
  assert.ok(
    differences.some((line) =>
      line.startsWith('image-registry: allows an official image by its short name: allowed:'),
    ),
  );
  assert.ok(
    differences.some((line) => line.endsWith('another answer than the committed module; rebuild it')),
  );
});

test('a policy that is not there is not a success', async () => {
  const lines: string[] = [];
  const options = { check: true, require: false, installToolchain: false, out: undefined, only: 'nothing' };
  assert.equal(await main(options, (line) => lines.push(line)), EXIT.failed);
  assert.deepEqual(lines, ['no policy `nothing` with sources in policies/']);
});
