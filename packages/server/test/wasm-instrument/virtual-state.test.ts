import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESERVED } from '../../src/wasm/instrumented.ts';
import { AMPLE, Guest } from './support/guest-run.ts';
import { instrumented } from './support/instrumented.ts';
import { wat } from './support/wat.ts';

function guestOf(text: string): Guest {
  return new Guest(new WebAssembly.Module(instrumented(wat(text)).bytes), AMPLE);
}

function call(guest: Guest, name: string, ...args: unknown[]): unknown {
  return (guest.exports[name] as (...values: unknown[]) => unknown)(...args);
}

function setGlobal(guest: Guest, name: string, value: number): void {
  (guest.exports[name] as WebAssembly.Global<number>).value = value;
}

const GROWING = `(module (memory (export "memory") 2 9)
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`;

test('the limit on pages holds, below and above what the module declares', () => {
  const guest = guestOf(GROWING);
  setGlobal(guest, RESERVED.pagesLimit, 4);
  assert.deepEqual(
    [1, 2, 1, 1, 0, -1].map((delta) => call(guest, 'grow', delta)),
    [2, -1, 3, -1, 4, -1],
  );
  setGlobal(guest, RESERVED.pagesLimit, 1000);
  assert.equal(call(guest, 'grow', 6), -1);
  assert.equal(call(guest, 'grow', 5), 4);
  assert.equal(call(guest, 'size'), 9);
});

test('after a reset the guest sees its first size again and grows into pages that are there', () => {
  const guest = guestOf(GROWING);
  guest.call(RESERVED.snapshot);
  call(guest, 'grow', 3);
  guest.call(RESERVED.reset);
  assert.equal(call(guest, 'size'), 2);
  const memory = guest.exports[RESERVED.memory] as WebAssembly.Memory;
  assert.equal(memory.buffer.byteLength, 5 * 65_536);
  assert.equal(call(guest, 'grow', 4), 2);
  assert.equal(memory.buffer.byteLength, 6 * 65_536);
});

test('a memory without a maximum gets one; a refused growth costs no pages', () => {
  const guest = guestOf(
    '(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))',
  );
  setGlobal(guest, RESERVED.pagesLimit, 3);
  const before = guest.fuel;
  assert.equal(call(guest, 'grow', 60_000), -1);
  assert.ok(guest.fuel - before < 2000);
  assert.equal(call(guest, 'grow', 2), 1);
  assert.ok(guest.fuel - before > 8192);
});

test('the limit on tables holds', () => {
  const guest = guestOf(`(module (table $t 2 funcref) (table $u 1 externref)
    (func (export "funcs") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
    (func (export "externs") (param i32) (result i32) (table.grow $u (ref.null extern) (local.get 0)))
    (func (export "size") (result i32) (table.size $t)))`);
  setGlobal(guest, RESERVED.tableLimit, 5);
  assert.deepEqual(
    [3, 1, 0, -1].map((count) => call(guest, 'funcs', count)),
    [2, -1, 5, -1],
  );
  assert.deepEqual(
    [5, 4].map((count) => call(guest, 'externs', count)),
    [-1, 1],
  );
  assert.equal(call(guest, 'size'), 5);
});

test('reset brings back mutable globals of every type and tables that code changes', () => {
  const guest = guestOf(`(module
    (table $t (export "t") 3 funcref) (elem (i32.const 1) $f)
    (global $a (export "a") (mut i32) (i32.const 1)) (global $b (export "b") (mut i64) (i64.const 2))
    (global $c (export "c") (mut f32) (f32.const 0.5)) (global $d (export "d") (mut f64) (f64.const 0.25))
    (global $e (mut v128) (v128.const i32x4 1 2 3 4)) (global $x (mut funcref) (ref.func $f)) (global $y (mut externref) (ref.null extern))
    (func $f)
    (func (export "lane") (result i32) (i32x4.extract_lane 2 (global.get $e)))
    (func (export "isNull") (result i32) (ref.is_null (global.get $x)))
    (func (export "change")
      (global.set $a (i32.const 9)) (global.set $b (i64.const 9)) (global.set $c (f32.const 9)) (global.set $d (f64.const 9))
      (global.set $e (v128.const i32x4 9 9 9 9)) (global.set $x (ref.null func))
      (table.set $t (i32.const 0) (ref.func $f)) (table.fill $t (i32.const 1) (ref.null func) (i32.const 1))))`);
  const seen = (): unknown[] => [
    ...['a', 'b', 'c', 'd'].map((name) => (guest.exports[name] as WebAssembly.Global).value),
    call(guest, 'lane'),
    call(guest, 'isNull'),
    ...[0, 1, 2].map((index) => (guest.exports['t'] as WebAssembly.Table).get(index) !== null),
  ];
  const first = [1, 2n, 0.5, 0.25, 3, 0, false, true, false];
  guest.call(RESERVED.snapshot);
  assert.deepEqual(seen(), first);
  guest.call('change');
  assert.deepEqual(seen(), [9, 9n, 9, 9, 9, 1, true, false, false]);
  guest.call(RESERVED.reset);
  assert.deepEqual(seen(), first);
});

const LAYOUTS: readonly (readonly [text: string, because: string | undefined])[] = [
  ['(module (table 9999 funcref) (func (table.set (i32.const 0) (ref.null func))))', undefined],
  [
    '(module (table 10001 funcref) (func (table.set (i32.const 0) (ref.null func))))',
    'the code changes tables of more than 10000 elements',
  ],
  [
    '(module (memory 1) (data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))))',
    undefined,
  ],
  [
    '(module (memory 1) (data $d "x") (func (data.drop $d)))',
    'the code drops data or element segments, which cannot be brought back',
  ],
  [
    '(module (table 1 funcref) (elem $e func) (func (elem.drop $e)))',
    'the code drops data or element segments, which cannot be brought back',
  ],
  [
    '(module (table 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 1)))))',
    'the code grows a table, which cannot shrink again',
  ],
];

for (const [text, because] of LAYOUTS) {
  test(`resettable or not: ${because ?? 'yes'}`, () => {
    const { layout } = instrumented(wat(text));
    assert.equal(layout.resettable, because === undefined);
    assert.equal(layout.freshBecause, because);
  });
}

test('exports lead to the functions they led to, references survive, names and custom sections do not', () => {
  const text = `(module (import "env" "twice" (func $twice (param i32) (result i32)))
    (table (export "t") 2 funcref) (elem (i32.const 0) $twice $one)
    (type $i (func (param i32) (result i32)))
    (func $one (export "one") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $pick (export "pick") (result funcref) (ref.func $pick))
    (func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $i) (local.get 0) (local.get 1)))
    (export "again" (func $one)) (export "host" (func $twice)))`;
  const guest = guestOf(text);
  assert.equal(call(guest, 'one', 4), 5);
  assert.equal(call(guest, 'again', 5), 6);
  assert.equal(call(guest, 'host', 5), 10);
  assert.deepEqual(
    [0, 1].map((slot) => call(guest, 'indirect', 20, slot)),
    [40, 21],
  );
  assert.equal(typeof call(guest, 'pick'), 'function');
});

test('a call through the table to the host costs what a direct one does', () => {
  const guest =
    guestOf(`(module (import "env" "nothing" (func $n)) (type $v (func)) (table 1 funcref) (elem (i32.const 0) $n)
    (func (export "direct") (call $n)) (func (export "indirect") (call_indirect (type $v) (i32.const 0))))`);
  const price = (name: string): number => {
    const before = guest.fuel;
    guest.call(name);
    return guest.fuel - before;
  };
  assert.ok(price('direct') > 256);
  assert.ok(price('indirect') > 256);
});
