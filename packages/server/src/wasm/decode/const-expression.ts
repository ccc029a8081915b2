import type { ByteReader } from '../binary/byte-reader.ts';
import { OP, OPCODES } from '../binary/opcodes.ts';
import { readValueType } from './decode-types.ts';

const EXTENDED: ReadonlySet<number> = new Set([
  OP.i32Add,
  OP.i32Sub,
  OP.i32Mul,
  OP.i64Add,
  OP.i64Sub,
  OP.i64Mul,
]);

/** Where a constant expression names a function: the bytes of the index. */
export interface FunctionMention {
  readonly start: number;
  readonly end: number;
  readonly index: number;
}

/** Bytes of a constant expression with its final `end`, and the functions it takes references to. */
export interface ConstExpression {
  readonly start: number;
  readonly end: number;
  readonly mentions: readonly FunctionMention[];
}

export function readConstExpression(reader: ByteReader, features: Set<string>): ConstExpression {
  const start = reader.at;
  const mentions: FunctionMention[] = [];
  for (;;) {
    const at = reader.at;
    const op = reader.byte();
    switch (op) {
      case OP.end:
        return { start, end: reader.at, mentions };
      case OP.i32Const:
        reader.skipSigned(32);
        break;
      case OP.i64Const:
        reader.skipSigned(64);
        break;
      case OP.f32Const:
        reader.skip(4);
        break;
      case OP.f64Const:
        reader.skip(8);
        break;
      case OP.globalGet:
        reader.u32();
        break;
      case OP.refNull:
        readValueType(reader, features);
        break;
      case OP.refFunc:
        mentions.push(readMention(reader));
        break;
      case 0xfd:
        features.add('simd');
        if (reader.u32() !== OP.v128Const - 0x200) reader.fail('not a constant instruction', at);
        reader.skip(16);
        break;
      default:
        if (!EXTENDED.has(op)) failOrRefuse(reader, op, at);
        features.add('extended-constants');
    }
  }
}

/** The number that an expression of one i32 constant stands for; undefined of any other expression. */
export function i32Of({ start, end }: ConstExpression, bytes: Uint8Array): number | undefined {
  let value = 0;
  let at = start + 1;
  let shift = 0;
  for (let isLast = false; !isLast && at < end; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    isLast = byte < 0x80;
  }
  // What follows it would be another instruction.
  if (bytes[start] !== OP.i32Const || at !== end - 1) return undefined;
  const isNegative = ((bytes[at - 1] ?? 0) & 0x40) !== 0;
  return isNegative && shift < 32 ? value | (-1 << shift) : value;
}

function readMention(reader: ByteReader): FunctionMention {
  const start = reader.at;
  const index = reader.u32();
  return { start, end: reader.at, index };
}

function failOrRefuse(reader: ByteReader, op: number, at: number): never {
  const row = OPCODES[op];
  if (row?.refused) reader.refuse(row.names, at);
  return reader.fail('not a constant instruction', at);
}
