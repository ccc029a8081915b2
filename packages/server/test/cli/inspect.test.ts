import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, runCli } from './run-cli.ts';

const MODULE = 'policies/image-registry/image-registry.wasm';

test('shows engine, digest, memory, imports and exports', async () => {
  const { code, out } = await runCli(['inspect', MODULE]);
  assert.equal(code, 0);
  const digest = createHash('sha256')
    .update(await readFile(join(ROOT, MODULE)))
    .digest('hex');
  assert.match(out, new RegExp(`^sha256 +${digest}$`, 'm'));
  assert.match(out, /^engine +plugin$/m);
  assert.match(out, /^import +env\.read_input \(i32, i32\) -> i32$/m);
  assert.match(out, /^export +validate \(\) -> i32$/m);
});

test('the same as JSON', async () => {
  const { out } = await runCli(['inspect', MODULE, '-o', 'json']);
  const info = JSON.parse(out) as { engine: string; imports: unknown[] };
  assert.equal(info.engine, 'plugin');
  assert.equal(info.imports.length, 3);
});

test('what is no module is refused with its offset', async () => {
  const { code, err } = await runCli(['inspect', 'package.json']);
  assert.equal(code, 2);
  assert.match(err, /^PC_MODULE_MALFORMED: /);
});

test('bench prints a row for each policy', async () => {
  const { code, out, err } = await runCli([
    'bench',
    'policies/image-registry',
    '-f',
    'policies/image-registry/tests/pod.json',
    '--seconds',
    '0.3',
  ]);
  assert.equal(code, 0, err);
  assert.match(out, /^image-registry +\d+\.\d{3} +\d+\.\d{3} +\d+ +[1-9]\d* +\d+ +allow$/m);
});
