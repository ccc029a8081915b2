import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { instrumentModule } from '../../src/wasm/instrument/instrument-module.ts';
import { assemble } from './support/assemble.ts';
import { wat } from './support/wat.ts';

function refusal(bytes: Uint8Array): Fault {
  const result = instrumentModule(bytes);
  assert.ok(isFault(result), 'it was accepted');
  return result;
}

const FEATURES: readonly (readonly [name: string, bytes: Uint8Array, feature: string])[] = [
  ['shared memory', wat('(module (memory 1 2 shared))'), 'threads (shared memory)'],
  [
    'atomics',
    wat('(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))'),
    'threads (atomic instructions)',
  ],
  ['64-bit memory', wat('(module (memory i64 1))'), '64-bit memory'],
  ['two memories', wat('(module (memory 1) (memory 1))'), 'more than one memory'],
  ['relaxed SIMD', assemble([0x00, 0xfd, 0x80, 0x02]), 'relaxed SIMD (its results differ between machines)'],
  ['structs', typed([0x5f, 0]), 'garbage collection types'],
  ['recursive types', typed([0x4e, 1, 0x60, 0, 0]), 'garbage collection types'],
  ['continuations', typed([0x5d, 0]), 'stack switching'],
  ['typed references', typed([0x60, 1, 0x63, 0, 0]), 'typed function references'],
  ['call_ref', assemble([0x00, 0x14, 0]), 'typed function references'],
  ['struct.new', assemble([0x00, 0xfb, 0, 0]), 'garbage collection'],
  ['suspend', assemble([0x00, 0xe2, 0]), 'stack switching'],
  ['wide arithmetic', assemble([0x00, 0xfc, 0x13]), 'wide arithmetic'],
  ['a component', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), 'the component model'],
];

/** A module whose type section holds one type. */
function typed(type: readonly number[]): Uint8Array {
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, type.length + 1, 1, ...type);
}

for (const [name, bytes, feature] of FEATURES) {
  test(`${name}: refused by name, with the place`, () => {
    const fault = refusal(bytes);
    assert.equal(fault.code, 'PC_MODULE_FEATURE');
    assert.equal(fault.data['feature'], feature);
    const offset = fault.data['offset'] as number;
    assert.ok(offset > 0 && offset < bytes.length);
    assert.equal(fault.message, `the module uses ${feature} at byte ${offset}, which a policy may not use`);
  });
}

/** Modules that V8 would take seconds, minutes or gigabytes to compile, in one go. */
const BOMBS: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  [
    'locals and ifs',
    wat(
      `(module (func ${'(local i32 i32 i32 i32 i32) '.repeat(500)} ${'(if (local.get 0) (then)) '.repeat(500)}))`,
    ),
  ],
  [
    'operands and blocks',
    wat(
      `(module (func ${'i32.const 1 '.repeat(4000)} ${'(block (br_if 0 (i32.const 1))) '.repeat(300)} ${'drop '.repeat(4000)}))`,
    ),
  ],
  [
    'operands from calls',
    wat(
      `(module (func $many (result ${'i32 '.repeat(32)}) unreachable) (func ${'call $many '.repeat(200)} ${'(loop) '.repeat(400)} unreachable))`,
    ),
  ],
  ['labels of br_table', tables()],
  ['calls', wat(`(module (func $f ${'call $f '.repeat(130_000)}))`)],
  [
    'divisions',
    wat(`(module (func (param i32) ${'(drop (i32.div_s (local.get 0) (local.get 0))) '.repeat(130_000)}))`),
  ],
];

/** Two hundred tables of a hundred labels, with two hundred operands below. */
function tables(): Uint8Array {
  const repeated = (count: number, bytes: readonly number[]): number[] =>
    Array.from({ length: count }, () => bytes).flat();
  const labels = Array.from({ length: 100 }, (_, at) => at);
  const jump = [0x02, 0x40, 0x41, 0, 0x0e, 99, ...labels, 0x0b];
  return assemble([
    ...repeated(200, [0x41, 1]),
    ...repeated(100, [0x02, 0x40]),
    ...repeated(200, jump),
    ...repeated(100, [0x0b]),
    ...repeated(200, [0x1a]),
  ]);
}

for (const [name, bytes] of BOMBS) {
  test(`${name} beyond what compiles in time: refused`, () => {
    const fault = refusal(bytes);
    assert.equal(fault.code, 'PC_MODULE_FEATURE');
    assert.equal(fault.data['feature'], 'a function with too many locals and branches to compile in time');
  });
}

test('functions with more parameters or results than policies have: refused', () => {
  for (const text of [
    `(module (func (param ${'i32 '.repeat(129)})))`,
    `(module (func (result ${'i32 '.repeat(33)}) unreachable))`,
  ]) {
    assert.match(
      refusal(wat(text)).message,
      /^the module uses a function type with more than \d+ parameters or results/,
    );
  }
});

const MALFORMED: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
  ['nothing', new Uint8Array(0), 'the module is malformed at byte 0: unexpected end'],
  ['text', Buffer.from('(module)'), 'the module is malformed at byte 0: this is not WebAssembly'],
  [
    'another version',
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0),
    'the module is malformed at byte 4: unknown version of WebAssembly',
  ],
  ['a section longer than the file', header(1, 100, 0), 'the module is malformed at byte 10: unexpected end'],
  [
    'more types than bytes',
    header(1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f),
    'the module is malformed at byte 10: 4294967295 types are more than the bytes that follow',
  ],
  [
    'a number that does not end',
    header(1, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 0),
    'the module is malformed at byte 10: integer too large',
  ],
  [
    'sections in disorder',
    header(3, 1, 0, 1, 1, 0),
    'the module is malformed at byte 11: section 1 is out of order or comes twice',
  ],
  ['an unknown section', header(42, 0), 'the module is malformed at byte 8: unknown section 42'],
  [
    'a function without code',
    header(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0),
    'the module is malformed at byte 18: no code for 1 functions',
  ],
  [
    'a label that does not exist',
    assemble([0x0c, 9]),
    'the module is malformed at byte 69: label 9 does not exist',
  ],
  [
    'an unknown instruction',
    assemble([0x27]),
    'the module is malformed at byte 68: unknown instruction 0x27',
  ],
  ['code that ends early', assemble([0x02, 0x40]), 'the module is malformed at byte 71: unexpected end'],
  ['more locals than V8 takes', locals(48_001), 'the module is malformed at byte 23: more than 48000 locals'],
  [
    'code that breaks the typing rules',
    wat('(module (func (result i32) (i64.const 1)))'),
    'the module is not valid: its code breaks the typing rules',
  ],
];

test('names that differ in a byte order mark are different names, as they are for V8', () => {
  const names = ['validate', '\ufeffvalidate', '', '\ufeff', '\ufeffportcullis:fuel'];
  const module = wat(
    `(module (func $f) ${names.map((name) => `(export "${name.replace('\ufeff', '\\ef\\bb\\bf')}" (func $f))`).join('')})`,
  );
  const result = instrumentModule(module);
  assert.ok(!isFault(result));
  assert.deepEqual(
    result.info.exports.map(({ name }) => name),
    names,
  );
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(result.bytes)).map(({ name }) => name);
  assert.deepEqual(exported.slice(0, names.length), names);
});

/** Valid, and each would take seconds or gigabytes in every instance, which nobody has paid for. */
const CROWDS: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
  [
    'tables',
    wat(`(module ${'(table 1 funcref) '.repeat(33)})`),
    'the module is malformed at byte 10: 33 tables are more than 32',
  ],
  [
    'imports',
    wat(`(module ${'(import "env" "f" (func)) '.repeat(1001)})`),
    'the module is malformed at byte 17: 1001 imports are more than 1000',
  ],
  [
    'exports',
    wat(
      `(module (func $f) ${Array.from({ length: 10_001 }, (_, at) => `(export "${at}" (func $f))`).join('')})`,
    ),
    'the module is malformed at byte 22: 10001 exports are more than 10000',
  ],
  [
    'elements, in several segments',
    wat(`(module (table 1 funcref) (func $f) ${`(elem func ${'$f '.repeat(101_000)})`.repeat(2)})`),
    'the module is malformed at byte 101036: 101000 elements are more than 99000',
  ],
  [
    'custom sections',
    header(...Array.from({ length: 10_001 }, () => [0, 1, 0]).flat()),
    'the module is malformed at byte 30008: more than 10000 custom sections',
  ],
];

for (const [name, bytes, message] of CROWDS) {
  test(`${name} beyond what any policy has: refused`, () => {
    assert.ok(WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>));
    assert.equal(refusal(bytes).message, message);
  });
}

function header(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes);
}

function locals(count: number): Uint8Array {
  const leb = [(count & 0x7f) | 0x80, ((count >> 7) & 0x7f) | 0x80, count >> 14];
  return header(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 1, ...leb, 0x7f, 0x0b);
}

for (const [name, bytes, message] of MALFORMED) {
  test(`${name}: malformed, with the place`, () => {
    const fault = refusal(bytes);
    assert.equal(fault.code, 'PC_MODULE_MALFORMED');
    assert.equal(fault.message, message);
  });
}

const NAMES: readonly (readonly [name: string, text: string, code: string, message: string])[] = [
  [
    'an imported memory',
    '(module (import "env" "memory" (memory 1)))',
    'PC_MODULE_IMPORT',
    'the module imports the memory `env.memory`; only functions can be imported',
  ],
  [
    'an imported table',
    '(module (import "env" "t" (table 1 funcref)))',
    'PC_MODULE_IMPORT',
    'the module imports the table `env.t`; only functions can be imported',
  ],
  [
    'an imported global',
    '(module (import "env" "g" (global i32)))',
    'PC_MODULE_IMPORT',
    'the module imports the global `env.g`; only functions can be imported',
  ],
  [
    'an imported tag',
    '(module (import "env" "e" (tag)))',
    'PC_MODULE_IMPORT',
    'the module imports the tag `env.e`; only functions can be imported',
  ],
  [
    'our import',
    '(module (import "portcullis" "refill" (func)))',
    'PC_MODULE_IMPORT',
    'the module imports `portcullis.refill`, a reserved name',
  ],
  [
    'our export',
    '(module (func (export "portcullis:fuel")))',
    'PC_MODULE_EXPORT',
    'the module exports `portcullis:fuel`, a reserved name',
  ],
];

for (const [name, text, code, message] of NAMES) {
  test(`${name}: refused`, () => {
    const fault = refusal(wat(text));
    assert.equal(fault.code, code);
    assert.equal(fault.message, message);
  });
}
