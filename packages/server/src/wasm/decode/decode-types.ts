import type { ByteReader } from '../binary/byte-reader.ts';
import { isReferenceType, refusedTypeFeature, valueTypeName, VALUE_TYPE } from '../binary/value-types.ts';

const MULTI_VALUE = 'multi-value';

/** A branch or a call moves them all for one unit of fuel or two. */
const MAX_PARAMETERS = 128;
const MAX_RESULTS = 32;

/** A function type by the codes of its value types. */
export interface TypeCodes {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

export interface Limits {
  readonly minimum: number;
  readonly maximum?: number;
}

export function readValueType(reader: ByteReader, features: Set<string>): number {
  const at = reader.at;
  const code = reader.byte();
  if (valueTypeName(code) !== undefined) {
    if (code === VALUE_TYPE.v128) features.add('simd');
    if (isReferenceType(code)) features.add('reference-types');
    if (code === VALUE_TYPE.exnref) features.add('exceptions');
    return code;
  }
  const feature = refusedTypeFeature(code);
  if (feature !== undefined) reader.refuse(feature, at);
  return reader.fail(`unknown type 0x${code.toString(16)}`, at);
}

export function readReferenceType(reader: ByteReader, features: Set<string>): number {
  const at = reader.at;
  const code = readValueType(reader, features);
  if (!isReferenceType(code)) reader.fail('a reference type is needed here', at);
  return code;
}

/** `0x40`, a value type, or the index of a function type as a signed number of 33 bits. */
export function readBlockType(reader: ByteReader, features: Set<string>): void {
  const next = reader.bytes[reader.at] ?? 0;
  if (next === 0x40 && !reader.done) {
    reader.at++;
  } else if (next < 0x80 && (next & 0x40) !== 0) {
    readValueType(reader, features);
  } else {
    features.add(MULTI_VALUE);
    reader.skipSigned(33);
  }
}

export function readFunctionType(reader: ByteReader, features: Set<string>): TypeCodes {
  const at = reader.at;
  const form = reader.byte();
  if (form !== 0x60) {
    if (form >= 0x4e && form <= 0x5f)
      reader.refuse(
        form >= 0x5d && form !== 0x5f && form !== 0x5e ? 'stack switching' : 'garbage collection types',
        at,
      );
    reader.fail('a function type is needed here', at);
  }
  const types = {
    params: readTypes(reader, features, MAX_PARAMETERS),
    results: readTypes(reader, features, MAX_RESULTS),
  };
  if (types.results.length > 1) features.add(MULTI_VALUE);
  return types;
}

function readTypes(reader: ByteReader, features: Set<string>, most: number): number[] {
  const types: number[] = [];
  const at = reader.at;
  const count = reader.count('value types', 1000);
  if (count > most) reader.refuse(`a function type with more than ${most} parameters or results`, at);
  for (let left = count; left > 0; left--) types.push(readValueType(reader, features));
  return types;
}

export function readMemoryLimits(reader: ByteReader): Limits {
  const at = reader.at;
  const flags = reader.byte();
  if (flags & 0x02) reader.refuse('threads (shared memory)', at);
  if (flags & 0x04) reader.refuse('64-bit memory', at);
  if (flags & 0x08) reader.refuse('custom page sizes', at);
  return readLimits(reader, flags, at);
}

export function readTableLimits(reader: ByteReader): Limits {
  const at = reader.at;
  const flags = reader.byte();
  if (flags & 0x02) reader.refuse('threads (shared tables)', at);
  if (flags & 0x04) reader.refuse('64-bit tables', at);
  return readLimits(reader, flags, at);
}

function readLimits(reader: ByteReader, flags: number, at: number): Limits {
  if (flags > 1) reader.fail('unknown flags of limits', at);
  const minimum = reader.u32();
  return flags === 1 ? { minimum, maximum: reader.u32() } : { minimum };
}
