import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { opaGuest } from '../engines/opa/opa-guest.ts';
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

test('a refusal reads as at load, word for word', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
  try {
    const modules = {
      unknown: wat('(module (import "spin" "run" (func)) (func (export "handle")))'),
      lacking: opaGuest({ evaluate: '(i32.const 0)', builtins: '{"http.send":0}' }),
      failing: wat(
        '(module (import "env" "read_input" (func (param i32 i32) (result i32))) (memory (export "memory") 1) (func (export "validate") (result i32) (i32.const 0)) (func $start (unreachable)) (start $start))',
      ),
    };
    for (const [name, bytes] of Object.entries(modules)) {
      const [module, policy] = [join(folder, `${name}.wasm`), join(folder, `${name}.yaml`)];
      await writeFile(module, bytes);
      await writeFile(
        policy,
        JSON.stringify({
          apiVersion: 'portcullis.dev/v1',
          kind: 'Policy',
          metadata: { name },
          spec: { module: { file: module } },
        }),
      );
      const { out } = await runCli(['inspect', module]);
      const refused = /^refused +(PC_.+)$/m.exec(out)?.[1] ?? '';
      assert.notEqual(refused, '', name);
      const { code, err } = await runCli([
        'check',
        '-p',
        policy,
        '-f',
        'policies/image-registry/tests/pod.json',
      ]);
      assert.equal(code, 2);
      assert.ok(err.includes(refused), `${refused}\n${err}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a module from Rego: entry points by number and builtins, for people and as JSON', async () => {
  const module = 'policies/memory-limits-rego/memory-limits-rego.wasm';
  const { out } = await runCli(['inspect', module]);
  assert.match(out, /^answers +Rego \(ABI 1\.3\)$/m);
  assert.match(out, /^entry +memory_limits\/violation \(0\)\nentry +memory_limits\/main \(1\)$/m);
  assert.match(out, /^builtin +units\.parse_bytes$/m);
  const told = JSON.parse((await runCli(['inspect', module, '-o', 'json'])).out) as Record<string, unknown>;
  assert.equal(told['abi'], '1.3');
  assert.deepEqual(told['builtins'], [
    { name: 'sprintf', offered: true },
    { name: 'units.parse_bytes', offered: true },
  ]);
});
