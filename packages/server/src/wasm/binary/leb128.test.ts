import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as hold, integer, property, string, uint8Array } from 'fast-check';
import { Fault } from '../../kernel/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(1);
  write(out);
  return out.finish();
}

const seeded = { seed: 26, numRuns: 500 };

test('unsigned numbers come back as they were written', () => {
  const law = property(integer({ min: 0, max: 0xffff_ffff }), (value) => {
    const reader = new ByteReader(written((out) => out.u32(value)));
    assert.equal(reader.u32(), value);
    assert.equal(reader.done, true);
  });
  hold(law, { ...seeded, examples: [[0], [127], [128], [0x7fff_ffff], [0xffff_ffff]] });
});

test('signed numbers are as long as they were written', () => {
  const law = property(integer({ min: -0x8000_0000, max: 0x7fff_ffff }), (value) => {
    for (const bits of [32, 33, 64] as const) {
      const reader = new ByteReader(written((out) => out.s32(value)));
      reader.skipSigned(bits);
      assert.equal(reader.done, true);
    }
  });
  hold(law, { ...seeded, examples: [[0], [63], [64], [-64], [-65], [-0x8000_0000]] });
});

test('names and copies come back as they were written', () => {
  const law = property(string({ unit: 'grapheme' }), uint8Array({ maxLength: 80 }), (name, bytes) => {
    const out = written((target) => {
      target.name(name);
      target.copy(bytes, 0, bytes.length);
    });
    const reader = new ByteReader(out);
    assert.equal(reader.name(), name);
    assert.deepEqual(out.subarray(reader.at), bytes);
  });
  hold(law, seeded);
});

const REFUSED: readonly (readonly [
  what: string,
  bytes: readonly number[],
  read: (reader: ByteReader) => unknown,
])[] = [
  ['an unsigned number of 33 bits', [0xff, 0xff, 0xff, 0xff, 0x1f], (reader) => reader.u32()],
  ['a sixth byte', [0x80, 0x80, 0x80, 0x80, 0x80, 0], (reader) => reader.u32()],
  ['a number cut off', [0x80], (reader) => reader.u32()],
  ['signed bits that disagree', [0xff, 0xff, 0xff, 0xff, 0x4f], (reader) => reader.skipSigned(32)],
  ['a long signed number', Array.from({ length: 11 }, () => 0x80), (reader) => reader.skipSigned(64)],
  ['a name that is not UTF-8', [2, 0xc3, 0x28], (reader) => reader.name()],
  ['a name longer than what follows', [9, 0x61], (reader) => reader.name()],
];

for (const [what, bytes, read] of REFUSED) {
  test(`${what}: malformed`, () => {
    assert.throws(
      () => read(new ByteReader(Uint8Array.from(bytes))),
      (error) => error instanceof Fault && error.code === 'PC_MODULE_MALFORMED',
    );
  });
}
