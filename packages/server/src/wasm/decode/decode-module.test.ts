import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../kernel/fault.ts';
import { decodeModule } from './decode-module.ts';

const MODULE = Buffer.from(
  [
    '0061736d 01000000',
    '01 09 02 60 01 7f 01 7e 60 00 00', // (i32) -> (i64); () -> ()
    '02 07 01 01 65 01 66 00 00', // e.f
    '03 02 01 01',
    '04 04 01 70 00 03', // 3 funcref
    '05 04 01 01 02 05', // 2 to 5 pages
    '07 09 02 01 67 00 01 01 6d 02 00', // g, m
    '08 01 01',
    '0a 08 01 06 00 41 01 c0 1a 0b', // i32.const 1, i32.extend8_s, drop
    '00 06 04 6e 6f 74 65 07', // custom section `note`
  ]
    .join('')
    .replaceAll(' ', ''),
  'hex',
);

test('a module says what it is', () => {
  const module = decodeModule(MODULE);
  assert.ok(!isFault(module));
  assert.deepEqual(module.info, {
    digest: module.info.digest,
    byteLength: MODULE.length,
    imports: [{ module: 'e', name: 'f', kind: 'function', type: { params: ['i32'], results: ['i64'] } }],
    exports: [
      { name: 'g', kind: 'function', type: { params: [], results: [] } },
      { name: 'm', kind: 'memory' },
    ],
    memory: { initialPages: 2, maximumPages: 5, imported: false },
    tables: [3],
    functions: 2,
    hasStart: true,
    customSections: [{ name: 'note', byteLength: 1 }],
    features: ['sign-extension'],
  });
  assert.match(module.info.digest, /^[0-9a-f]{64}$/);
});

test('the smallest module is a module', () => {
  const module = decodeModule(MODULE.subarray(0, 8));
  assert.ok(!isFault(module));
  assert.equal(module.info.functions, 0);
});
