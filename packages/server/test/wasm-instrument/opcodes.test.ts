import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { OPCODES, type Immediate } from '../../src/wasm/binary/opcodes.ts';
import { decodeModule } from '../../src/wasm/decode/decode-module.ts';
import { assemble } from './support/assemble.ts';
import { instrumented } from './support/instrumented.ts';

/** Bytes of an immediate that is valid in the fixture module, behind `unreachable`. */
const IMMEDIATES: Readonly<Record<Immediate, readonly number[]>> = {
  none: [],
  block: [0x40],
  index: [0],
  label: [0],
  labels: [0, 0],
  catches: [0x40, 0],
  two: [0, 0],
  types: [1, 0x7f],
  heap: [0x70],
  memarg: [0, 0],
  memargLane: [0, 0, 0],
  memory: [0],
  memories: [0, 0],
  dataMemory: [0, 0],
  s32: [0],
  s64: [0],
  four: [0, 0, 0, 0],
  eight: [0, 0, 0, 0, 0, 0, 0, 0],
  sixteen: Array.from({ length: 16 }, () => 0),
  lane: [0],
};

/** Instructions that only stand inside a block, and what it takes to put them there. */
const AROUND: Readonly<Record<number, readonly [before: readonly number[], after: readonly number[]]>> = {
  0x02: [[], [0x0b]],
  0x03: [[], [0x0b]],
  0x04: [[], [0x0b]],
  0x05: [[0x04, 0x40], [0x0b]],
  0x06: [[], [0x19, 0x0b]],
  0x07: [[0x06, 0x40], [0x0b]],
  0x09: [[0x06, 0x40, 0x19], [0x0b]],
  0x0b: [[0x02, 0x40], []],
  0x18: [[0x06, 0x40], []],
  0x19: [[0x06, 0x40], [0x0b]],
  0x1f: [[], [0x0b]],
};

const UNREACHABLE = 0x00;

function opcodeBytes(code: number): number[] {
  if (code < 0x100) return [code];
  const sub = code < 0x200 ? code - 0x100 : code - 0x200;
  const leb = sub < 0x80 ? [sub] : [(sub & 0x7f) | 0x80, sub >> 7];
  return [code < 0x200 ? 0xfc : 0xfd, ...leb];
}

function moduleWith(code: number, immediate: Immediate): Uint8Array<ArrayBuffer> {
  const [before, after] = AROUND[code] ?? [[], []];
  return assemble([
    UNREACHABLE,
    ...before,
    UNREACHABLE,
    ...opcodeBytes(code),
    ...IMMEDIATES[immediate],
    UNREACHABLE,
    ...after,
  ]);
}

const CODES = OPCODES.map((_, code) => code).filter((code) => code !== 0xfc && code !== 0xfd);

test('every instruction of the table is one that V8 knows in this form, and comes through the rewrite valid', () => {
  let known = 0;
  for (const code of CODES) {
    const row = OPCODES[code];
    if (row === undefined || row.refused) continue;
    const bytes = moduleWith(code, row.immediate);
    const what = `0x${code.toString(16)} in ${row.names}`;
    assert.ok(WebAssembly.validate(bytes), what);
    assert.ok(WebAssembly.validate(instrumented(bytes).bytes), `${what}, rewritten`);
    known++;
  }
  assert.equal(known, 447);
});

test('V8 takes no instruction that the table does not know', () => {
  for (const code of CODES) {
    const row = OPCODES[code];
    if (row !== undefined && !row.refused) continue;
    for (const immediate of Object.keys(IMMEDIATES) as Immediate[]) {
      const bytes = moduleWith(code, immediate);
      const fault = decodeModule(bytes);
      assert.ok(isFault(fault), `0x${code.toString(16)} with ${immediate}`);
      if (row === undefined)
        assert.ok(!WebAssembly.validate(bytes), `0x${code.toString(16)} with ${immediate}`);
      else assert.equal(fault.code, 'PC_MODULE_FEATURE');
    }
  }
});
