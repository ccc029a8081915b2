import { WEIGHT } from './weights.ts';

/** What follows an opcode. */
export type Immediate =
  | 'none'
  | 'block' // block type
  | 'index' // one index: local, global, function, tag, data or element segment, table
  | 'label'
  | 'labels' // br_table
  | 'catches' // try_table: block type and catch clauses
  | 'two' // two indices: call_indirect (type, table), table.init, table.copy
  | 'types' // select with types
  | 'heap' // ref.null
  | 'memarg' // alignment, offset
  | 'memargLane'
  | 'memory' // memory index, one byte 0
  | 'memories' // two of them
  | 'dataMemory' // data segment, memory index
  | 's32'
  | 's64'
  | 'four'
  | 'eight'
  | 'sixteen'
  | 'lane';

export interface OpcodeRow {
  /** First and last code of a run of instructions that are alike; `0x100 +` for prefix 0xfc, `0x200 +` for 0xfd. */
  readonly from: number;
  readonly to: number;
  readonly names: string;
  readonly immediate: Immediate;
  /** What it does to the height of the operand stack, at most; see the table for the exceptions. */
  readonly stack: number;
  /** Fuel, charged in advance; operations on ranges pay by size on top. */
  readonly fuel: number;
  /** Beyond the first version of WebAssembly. */
  readonly feature?: string;
  /** A policy may not use it. */
  readonly refused?: true;
}

type Row = readonly [number, number, string, Immediate, stack: number, fuel: number, feature?: string];

const { nothing, one, slow, call, indirect, table, bulk, reference, exception, growth } = WEIGHT;

/**
 * Every instruction that a policy may use. Read it against the specification's index of instructions.
 * Columns: first and last code, names, immediate, effect on the height of the operand stack (0 where types decide, and for all
 * that computes on vectors, which is at most that), fuel, feature.
 */
// prettier-ignore
const ALLOWED: readonly Row[] = [
  // control
  [0x00, 0x00, 'unreachable',               'none',     0, nothing],
  [0x01, 0x01, 'nop',                       'none',     0, one],
  [0x02, 0x03, 'block loop',                'block',    0, nothing],
  [0x04, 0x04, 'if',                        'block',   -1, one],
  [0x05, 0x05, 'else',                      'none',     0, nothing],
  [0x06, 0x06, 'try',                       'block',    0, nothing,   'legacy-exceptions'],
  [0x07, 0x07, 'catch',                     'index',    0, nothing,   'legacy-exceptions'],
  [0x08, 0x08, 'throw',                     'index',    0, exception, 'exceptions'],
  [0x09, 0x09, 'rethrow',                   'label',    0, exception, 'legacy-exceptions'],
  [0x0a, 0x0a, 'throw_ref',                 'none',    -1, exception, 'exceptions'],
  [0x0b, 0x0b, 'end',                       'none',     0, nothing],
  [0x0c, 0x0c, 'br',                        'label',    0, one],
  [0x0d, 0x0d, 'br_if',                     'label',   -1, one],
  [0x0e, 0x0e, 'br_table',                  'labels',  -1, slow],
  [0x0f, 0x0f, 'return',                    'none',     0, one],
  [0x10, 0x10, 'call',                      'index',    0, call],
  [0x11, 0x11, 'call_indirect',             'two',     -1, indirect],
  [0x12, 0x12, 'return_call',               'index',    0, call,      'tail-calls'],
  [0x13, 0x13, 'return_call_indirect',      'two',     -1, indirect,  'tail-calls'],
  [0x18, 0x18, 'delegate',                  'label',    0, nothing,   'legacy-exceptions'],
  [0x19, 0x19, 'catch_all',                 'none',     0, nothing,   'legacy-exceptions'],
  [0x1f, 0x1f, 'try_table',                 'catches',  0, nothing,   'exceptions'],
  // parametric, variables, tables
  [0x1a, 0x1a, 'drop',                      'none',    -1, one],
  [0x1b, 0x1b, 'select',                    'none',    -2, one],
  [0x1c, 0x1c, 'select t',                  'types',   -2, one,       'reference-types'],
  [0x20, 0x20, 'local.get',                 'index',    1, one],
  [0x21, 0x21, 'local.set',                 'index',   -1, one],
  [0x22, 0x22, 'local.tee',                 'index',    0, one],
  [0x23, 0x23, 'global.get',                'index',    1, one],
  [0x24, 0x24, 'global.set',                'index',   -1, one],
  [0x25, 0x25, 'table.get',                 'index',    0, table,     'reference-types'],
  [0x26, 0x26, 'table.set',                 'index',   -2, table,     'reference-types'],
  // memory
  [0x28, 0x35, 'i32.load … i64.load32_u',   'memarg',   0, one],
  [0x36, 0x3e, 'i32.store … i64.store32',   'memarg',  -2, one],
  [0x3f, 0x3f, 'memory.size',               'memory',   1, one],
  [0x40, 0x40, 'memory.grow',               'memory',   0, growth],
  // numbers
  [0x41, 0x41, 'i32.const',                 's32',      1, one],
  [0x42, 0x42, 'i64.const',                 's64',      1, one],
  [0x43, 0x43, 'f32.const',                 'four',     1, one],
  [0x44, 0x44, 'f64.const',                 'eight',    1, one],
  [0x45, 0x45, 'i32.eqz',                   'none',     0, one],
  [0x46, 0x4f, 'i32.eq … i32.ge_u',         'none',    -1, one],
  [0x50, 0x50, 'i64.eqz',                   'none',     0, one],
  [0x51, 0x66, 'i64.eq … f64.ge',           'none',    -1, one],
  [0x67, 0x69, 'i32.clz … i32.popcnt',      'none',     0, one],
  [0x6a, 0x6c, 'i32.add … i32.mul',         'none',    -1, one],
  [0x6d, 0x70, 'i32.div_s … i32.rem_u',     'none',    -1, slow],
  [0x71, 0x78, 'i32.and … i32.rotr',        'none',    -1, one],
  [0x79, 0x7b, 'i64.clz … i64.popcnt',      'none',     0, one],
  [0x7c, 0x7e, 'i64.add … i64.mul',         'none',    -1, one],
  [0x7f, 0x82, 'i64.div_s … i64.rem_u',     'none',    -1, slow],
  [0x83, 0x8a, 'i64.and … i64.rotr',        'none',    -1, one],
  [0x8b, 0x90, 'f32.abs … f32.nearest',     'none',     0, one],
  [0x91, 0x91, 'f32.sqrt',                  'none',     0, slow],
  [0x92, 0x94, 'f32.add … f32.mul',         'none',    -1, one],
  [0x95, 0x95, 'f32.div',                   'none',    -1, slow],
  [0x96, 0x98, 'f32.min … f32.copysign',    'none',    -1, one],
  [0x99, 0x9e, 'f64.abs … f64.nearest',     'none',     0, one],
  [0x9f, 0x9f, 'f64.sqrt',                  'none',     0, slow],
  [0xa0, 0xa2, 'f64.add … f64.mul',         'none',    -1, one],
  [0xa3, 0xa3, 'f64.div',                   'none',    -1, slow],
  [0xa4, 0xa6, 'f64.min … f64.copysign',    'none',    -1, one],
  [0xa7, 0xbf, 'i32.wrap_i64 … f64.reinterpret_i64', 'none', 0, one],
  [0xc0, 0xc4, 'i32.extend8_s … i64.extend32_s', 'none', 0, one,    'sign-extension'],
  [0x100, 0x107, 'i32.trunc_sat_f32_s … i64.trunc_sat_f64_u', 'none', 0, one, 'saturating-conversions'],
  // references
  [0xd0, 0xd0, 'ref.null',                  'heap',     1, one,       'reference-types'],
  [0xd1, 0xd1, 'ref.is_null',               'none',     0, one,       'reference-types'],
  [0xd2, 0xd2, 'ref.func',                  'index',    1, reference, 'reference-types'],
  // ranges
  [0x108, 0x108, 'memory.init',             'dataMemory', -3, bulk,   'bulk-memory'],
  [0x109, 0x109, 'data.drop',               'index',    0, one,       'bulk-memory'],
  [0x10a, 0x10a, 'memory.copy',             'memories', -3, bulk,     'bulk-memory'],
  [0x10b, 0x10b, 'memory.fill',             'memory',  -3, bulk,      'bulk-memory'],
  [0x10c, 0x10c, 'table.init',              'two',     -3, bulk,      'bulk-memory'],
  [0x10d, 0x10d, 'elem.drop',               'index',    0, one,       'bulk-memory'],
  [0x10e, 0x10e, 'table.copy',              'two',     -3, bulk,      'bulk-memory'],
  [0x10f, 0x10f, 'table.grow',              'index',   -1, growth,    'reference-types'],
  [0x110, 0x110, 'table.size',              'index',    1, one,       'reference-types'],
  [0x111, 0x111, 'table.fill',              'index',   -3, bulk,      'reference-types'],
  // vectors of 128 bits
  [0x200, 0x20a, 'v128.load … v128.load64_splat', 'memarg', 0, one,   'simd'],
  [0x20b, 0x20b, 'v128.store',              'memarg',  -2, one,       'simd'],
  [0x20c, 0x20c, 'v128.const',              'sixteen',  1, one,       'simd'],
  [0x20d, 0x20d, 'i8x16.shuffle',           'sixteen', -1, one,       'simd'],
  [0x20e, 0x214, 'i8x16.swizzle i8x16.splat … f64x2.splat', 'none', 0, one, 'simd'],
  [0x215, 0x222, 'i8x16.extract_lane_s … f64x2.replace_lane', 'lane', 0, one, 'simd'],
  [0x223, 0x253, 'i8x16.eq … v128.any_true', 'none',    0, one,       'simd'],
  [0x254, 0x257, 'v128.load8_lane … v128.load64_lane', 'memargLane', -1, one, 'simd'],
  [0x258, 0x25b, 'v128.store8_lane … v128.store64_lane', 'memargLane', -2, one, 'simd'],
  [0x25c, 0x25d, 'v128.load32_zero v128.load64_zero', 'memarg', 0, one, 'simd'],
  [0x25e, 0x299, 'f32x4.demote_f64x2_zero … i16x8.min_s', 'none', 0, one, 'simd'],
  [0x29b, 0x2a1, 'i16x8.avgr_u … i32x4.neg', 'none',    0, one,       'simd'],
  [0x2a3, 0x2a4, 'i32x4.all_true i32x4.bitmask', 'none', 0, one,      'simd'],
  [0x2a7, 0x2ae, 'i32x4.extend_low_i16x8_s … i32x4.add', 'none', 0, one, 'simd'],
  [0x2b1, 0x2b1, 'i32x4.sub',               'none',     0, one,       'simd'],
  [0x2b5, 0x2ba, 'i32x4.mul … i32x4.dot_i16x8_s', 'none', 0, one,     'simd'],
  [0x2bc, 0x2c1, 'i32x4.extmul_low_i16x8_s … i64x2.neg', 'none', 0, one, 'simd'],
  [0x2c3, 0x2c4, 'i64x2.all_true i64x2.bitmask', 'none', 0, one,      'simd'],
  [0x2c7, 0x2ce, 'i64x2.extend_low_i32x4_s … i64x2.add', 'none', 0, one, 'simd'],
  [0x2d1, 0x2d1, 'i64x2.sub',               'none',     0, one,       'simd'],
  [0x2d5, 0x2e1, 'i64x2.mul … f32x4.neg',   'none',     0, one,       'simd'],
  [0x2e3, 0x2ed, 'f32x4.sqrt … f64x2.neg',  'none',     0, one,       'simd'],
  [0x2ef, 0x2ff, 'f64x2.sqrt … f64x2.convert_low_i32x4_u', 'none', 0, one, 'simd'],
];

/** Known, and not for policies: first code, last code, feature as the refusal names it. */
// prettier-ignore
const REFUSED: readonly (readonly [number, number, string])[] = [
  [0x14, 0x15, 'typed function references'],
  [0xd3, 0xd3, 'garbage collection'],
  [0xd4, 0xd6, 'typed function references'],
  [0xe0, 0xe6, 'stack switching'],
  [0xfb, 0xfb, 'garbage collection'],
  [0xfe, 0xfe, 'threads (atomic instructions)'],
  [0x112, 0x112, 'memory control'],
  [0x113, 0x116, 'wide arithmetic'],
  [0x300, 0x32f, 'relaxed SIMD (its results differ between machines)'],
];

/** By code; `undefined` where no instruction is known. */
export const OPCODES: readonly (OpcodeRow | undefined)[] = rowsByCode();

function rowsByCode(): (OpcodeRow | undefined)[] {
  const rows: (OpcodeRow | undefined)[] = Array.from({ length: 0x400 }, () => undefined);
  const add = (row: OpcodeRow): void => {
    for (let code = row.from; code <= row.to; code++) rows[code] = row;
  };
  for (const [from, to, names, immediate, stack, fuel, feature] of ALLOWED) {
    add({ from, to, names, immediate, stack, fuel, ...(feature === undefined ? {} : { feature }) });
  }
  for (const [from, to, feature] of REFUSED) {
    add({ from, to, names: feature, immediate: 'none', stack: 0, fuel: 0, feature, refused: true });
  }
  return rows;
}

/** The codes that the passes act on. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  select: 0x1b,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eq: 0x46,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32GtS: 0x4a,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivS: 0x6d,
  i32RemU: 0x70,
  i32Or: 0x72,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64RemU: 0x82,
  i32TruncF32S: 0xa8,
  i32TruncF64U: 0xab,
  i64TruncF32S: 0xae,
  i64TruncF64U: 0xb1,
  refNull: 0xd0,
  refFunc: 0xd2,
  memoryInit: 0x108,
  dataDrop: 0x109,
  memoryCopy: 0x10a,
  memoryFill: 0x10b,
  tableInit: 0x10c,
  elemDrop: 0x10d,
  tableCopy: 0x10e,
  tableGrow: 0x10f,
  tableSize: 0x110,
  tableFill: 0x111,
  v128Const: 0x20c,
} as const;
