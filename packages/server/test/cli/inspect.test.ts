import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { wat } from '../wasm-instrument/support/wat.ts';
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

test('tells which dialect a module is and what it asks of its host', async () => {
  const { code, out } = await runCli(['inspect', 'policies/denied-verbs-go/denied-verbs-go.wasm']);
  assert.equal(code, 0);
  assert.match(out, /^engine +wasi$/m);
  assert.match(out, /^answers +command \(_start\)$/m);
  assert.match(out, /^needs +clocks, random numbers, standard input/m);
  assert.doesNotMatch(out, /^refused/m);
});

test('tells why a module would be refused: what was found, and what was expected', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
  try {
    const [unknown, lacking] = [join(folder, 'unknown.wasm'), join(folder, 'lacking.wasm')];
    await writeFile(unknown, wat('(module (import "spin" "run" (func)) (func (export "handle")))'));
    await writeFile(
      lacking,
      wat('(module (import "wasi_snapshot_preview1" "fd_open" (func)) (func (export "authn")))'),
    );
    const first = await runCli(['inspect', unknown]);
    assert.match(first.out, /^engine +none recognised/m);
    assert.match(
      first.out,
      /^refused +PC_MODULE_ENGINE: no engine recognises the module: it imports from `spin` and exports `handle`; expected is for `plugin` imports of module `env`/m,
    );
    const second = await runCli(['inspect', lacking, '-o', 'json']);
    const told = JSON.parse(second.out) as { engine: string; refused: { code: string; message: string } };
    assert.equal(told.engine, 'wasi');
    assert.match(told.refused.code, /^PC_MODULE_IMPORT/);
    assert.match(told.refused.message, /fd_open/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
