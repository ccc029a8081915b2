import assert from 'node:assert/strict';
import { test } from 'node:test';
import wabt from 'wabt';
import { createPluginHarness, type PluginHarness } from '../src/index.ts';

const { parseWat } = await wabt();

/** A module whose `validate` writes `output`, if any, and returns `code`. */
async function moduleThat(output: string | undefined, code: number, extra = ''): Promise<PluginHarness> {
  const text = (output ?? '').replaceAll('\\', '\\5c').replaceAll('"', '\\22');
  const write = output === undefined ? '' : `(drop (call $write (i32.const 0) (i32.const ${output.length})))`;
  const source = `(module
    (import "env" "write_output" (func $write (param i32 i32) (result i32)))
    (import "env" "read_input" (func $read (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "${text}")
    (func (export "validate") (result i32) ${extra} ${write} (i32.const ${code})))`;
  return createPluginHarness(new Uint8Array(parseWat('test.wat', source).toBinary({}).buffer));
}

const answerOf = async (output: string | undefined, code: number): Promise<readonly unknown[]> => {
  const { outcome, message, reason } = (await moduleThat(output, code)).evaluate(new Uint8Array());
  return [outcome, message, reason];
};

test('the decision table of the ABI', async () => {
  assert.deepEqual(await answerOf(undefined, 0), ['allow', undefined, undefined]);
  assert.deepEqual(await answerOf('', 0), ['allow', undefined, undefined]);
  const returned = ['deny', 'Plugin returned error code: 3', 'ValidationFailed'];
  assert.deepEqual(await answerOf(undefined, 3), returned);
  assert.deepEqual(await answerOf('{"allowed":true,"message":null}', 0), ['allow', undefined, undefined]);
  assert.deepEqual(await answerOf('{"allowed":true}', 3), returned);
  assert.deepEqual(await answerOf('{"allowed":false,"message":"m","reason":"r"}', 0), ['deny', 'm', 'r']);
  assert.deepEqual(await answerOf('{"allowed":false}', 1), ['deny', undefined, undefined]);
});

test('an output of the wrong shape is a fault', async () => {
  const cases: Readonly<Record<string, string>> = {
    'no json': 'not JSON',
    '[]': 'not a JSON object',
    '{}': '`allowed` must be true or false',
    '{"allowed":1}': '`allowed` must be true or false',
    '{"allowed":true,"message":1}': '`message` must be a string',
    '{"allowed":true,"warnings":[1]}': '`warnings` must be a list of strings',
    '{"allowed":false,"errors":[{"field":"a"}]}':
      '`errors` must be a list of objects with `field` and `message`',
    '{"allowed":true,"auditAnnotations":{"a":1}}': '`auditAnnotations` must be an object of strings',
  };
  for (const [output, why] of Object.entries(cases)) {
    assert.deepEqual(await answerOf(output, 0), [
      'fault',
      `Failed to parse plugin output: ${why}`,
      undefined,
    ]);
  }
});

test('a trap is a fault', async () => {
  const answer = (await moduleThat(undefined, 0, '(unreachable)')).evaluate(new Uint8Array());
  assert.deepEqual([answer.outcome, answer.message], ['fault', 'Plugin execution failed: unreachable']);
});

test('input is read from its start, as much as there is and fits', async () => {
  const read = async (pointer: number, length: number): Promise<number | undefined> =>
    (
      await moduleThat(undefined, 0, `(return (call $read (i32.const ${pointer}) (i32.const ${length})))`)
    ).run(new Uint8Array(10)).code;
  assert.equal(await read(0, 4), 4);
  assert.equal(await read(0, 100), 10);
  assert.equal(await read(0, -1), 10);
  assert.equal(await read(65_530, 10), -1);
  assert.equal(await read(-1, 1), -1);
});

test('a module of another kind is refused by name', async () => {
  const bytes = parseWat('empty.wat', '(module (memory (export "memory") 1))').toBinary({}).buffer;
  await assert.rejects(createPluginHarness(new Uint8Array(bytes)), {
    name: 'TypeError',
    message: 'not a module of the plugin ABI: it exports no function `validate`',
  });
});
