import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESERVED } from '../../src/wasm/instrumented.ts';
import { assemble } from './support/assemble.ts';
import { Guest } from './support/guest-run.ts';
import { instrumented } from './support/instrumented.ts';
import { wat } from './support/wat.ts';

const BUDGET = 300_000;

/** Modules whose `run` never ends by itself. */
const ENDLESS: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['a loop', wat('(module (func (export "run") (loop (br 0))))')],
  ['a loop by br_if', wat('(module (func (export "run") (loop (br_if 0 (i32.const 1)))))')],
  ['a loop by br_table', wat('(module (func (export "run") (block (loop (br_table 0 1 0 (i32.const 0))))))')],
  [
    'a loop with a value',
    wat('(module (func (export "run") (result i32) (i32.const 1) (loop (param i32) (result i32) (br 0))))'),
  ],
  [
    'a loop around an if that never ends',
    wat('(module (func (export "run") (loop (if (i32.const 1) (then (br 1)) (else unreachable)))))'),
  ],
  [
    'calls of the next function and back',
    wat('(module (func $a (export "run") (return_call $b)) (func $b (return_call $a)))'),
  ],
  [
    'tail calls through the table',
    wat(
      '(module (type $t (func)) (table 1 funcref) (elem (i32.const 0) $a) (func $a (export "run") (return_call_indirect (type $t) (i32.const 0))))',
    ),
  ],
  [
    'a loop that catches what it throws',
    wat('(module (tag $e) (func (export "run") (loop (try (do (throw $e)) (catch_all (br 1))) (br 0))))'),
  ],
  [
    'a loop that catches what a callee throws',
    wat(
      '(module (tag $e) (func $f (throw $e)) (func (export "run") (loop (try (do (call $f)) (catch_all)) (br 0))))',
    ),
  ],
  [
    'a loop that rethrows',
    wat(
      '(module (tag $e) (func (export "run") (loop (try (do (try (do (throw $e)) (catch_all (rethrow 0)))) (catch_all)) (br 0))))',
    ),
  ],
  [
    'a loop that delegates',
    wat(
      '(module (tag $e) (func (export "run") (loop (try (do (try (do (throw $e)) (delegate 0))) (catch_all)) (br 0))))',
    ),
  ],
  // loop { block { try_table (catch_all 0) { throw 0 } } br 0 }
  [
    'a loop of try_table',
    assemble([0x03, 0x40, 0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x08, 0, 0x0b, 0x0b, 0x0c, 0, 0x0b]),
  ],
  // loop { try_table (catch_all 0) { throw 0 } }: the handler is the head of the loop
  ['a handler that is a loop', assemble([0x03, 0x40, 0x1f, 0x40, 1, 2, 0, 0x08, 0, 0x0b, 0x0b])],
  // loop { block exnref { try_table (catch_all_ref 0) { throw 0 } unreachable } drop; br 0 }
  [
    'a loop that catches references',
    assemble([0x03, 0x40, 0x02, 0x69, 0x1f, 0x40, 1, 3, 0, 0x08, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0c, 0, 0x0b]),
  ],
  [
    'a loop of fills of nothing',
    wat(
      '(module (memory 1) (func (export "run") (loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (br 0))))',
    ),
  ],
  [
    'a loop of growth by nothing',
    wat('(module (memory 1) (func (export "run") (loop (drop (memory.grow (i32.const 0))) (br 0))))'),
  ],
  [
    'a loop of refused growth',
    wat('(module (memory 1 1) (func (export "run") (loop (drop (memory.grow (i32.const 1))) (br 0))))'),
  ],
  [
    'a loop of growth of a table',
    wat(
      '(module (table 1 funcref) (func (export "run") (loop (drop (table.grow (ref.null func) (i32.const 0))) (br 0))))',
    ),
  ],
  [
    'a loop of host calls',
    wat('(module (import "env" "nothing" (func $n)) (func (export "run") (loop (call $n) (br 0))))'),
  ],
  ['a loop of small calls', wat('(module (func $s) (func (export "run") (loop (call $s) (br 0))))')],
];

for (const [name, bytes] of ENDLESS) {
  test(`${name}: ends when its fuel does, whatever the slices`, () => {
    const metered = new WebAssembly.Module(instrumented(bytes).bytes);
    const used = [1 << 12, 1 << 20].map((slice) => {
      const guest = new Guest(metered, { slice, budget: BUDGET });
      assert.throws(() => guest.call('run'), { name: 'RuntimeError', message: 'unreachable' });
      assert.equal(guest.exhausted, true);
      return guest.fuel;
    });
    assert.equal(used[0], used[1]);
    assert.ok((used[0] ?? 0) > BUDGET && (used[0] ?? 0) < 2 * BUDGET);
  });
}

test('endless recursion ends in a stack overflow or without fuel, and not in a result', () => {
  const bytes = wat('(module (func $f (export "run") (result i32) (i32.add (call $f) (i32.const 1))))');
  const guest = new Guest(new WebAssembly.Module(instrumented(bytes).bytes), {
    slice: 1 << 20,
    budget: 1 << 30,
  });
  assert.throws(() => guest.call('run'), /Maximum call stack size exceeded/);
  assert.ok(guest.fuel > 1000);
});

test('a stack overflow that a guest could catch does not give it free fuel', () => {
  const text = `(module (func $deep (call $deep))
    (func (export "run") (loop (try (do (call $deep)) (catch_all)) (br 0))))`;
  const guest = new Guest(new WebAssembly.Module(instrumented(wat(text)).bytes), {
    slice: 1 << 16,
    budget: 1 << 20,
  });
  assert.throws(() => guest.call('run'));
});

test('what a trap cannot be: caught by a guest', () => {
  const legacy = wat('(module (func (export "run") (try (do (loop (br 0))) (catch_all))))');
  // block { try_table (catch_all 0) { loop { br 0 } } }
  const modern = assemble([0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, 0x0b]);
  for (const bytes of [legacy, modern]) {
    const guest = new Guest(new WebAssembly.Module(instrumented(bytes).bytes), {
      slice: 1000,
      budget: 10_000,
    });
    assert.throws(() => guest.call('run'), { message: 'unreachable' });
  }
});

test('a start function that loops runs only when it is called, and ends without fuel', () => {
  const { bytes, layout } = instrumented(wat('(module (func $s (loop (br 0))) (start $s))'));
  assert.equal(layout.hasStart, true);
  assert.throws(() => new Guest(new WebAssembly.Module(bytes), { slice: 100, budget: 1000 }), {
    message: 'unreachable',
  });
});

test('operations on ranges pay by size before they act', () => {
  const text = `(module (memory 64) (table 1000 funcref)
    (func (export "fill") (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x100000)))
    (func (export "copy") (memory.copy (i32.const 0) (i32.const 1) (i32.const 0x100000)))
    (func (export "huge") (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)))
    (func (export "elements") (table.fill (i32.const 0) (ref.null func) (i32.const 1000)))
    (func (export "endless") (table.fill (i32.const 0) (ref.null func) (i32.const -1))))`;
  const metered = new WebAssembly.Module(instrumented(wat(text)).bytes);
  const guest = new Guest(metered, { slice: 1 << 20, budget: 1 << 30 });
  const price = (name: string): number => {
    const before = guest.fuel;
    try {
      guest.call(name);
    } catch {
      // out of bounds: paid for all the same
    }
    return guest.fuel - before;
  };
  assert.equal(price('fill') >> 16, 1);
  assert.equal(price('copy') >> 16, 1);
  assert.equal(price('elements') >> 6, 1000);
  assert.ok(price('huge') > 0xfff_0000);
  assert.ok(price('endless') > 79_000_000);
  const poor = new Guest(metered, { slice: 1000, budget: 60_000 });
  assert.throws(() => poor.call('fill'), { message: 'unreachable' });
  const memory = poor.exports[RESERVED.memory] as WebAssembly.Memory;
  assert.equal(new Uint8Array(memory.buffer)[0], 0);
});
