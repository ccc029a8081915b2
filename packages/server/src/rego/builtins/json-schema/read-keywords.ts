import { compileRegex, type RegexProgram } from '../../../kernel/regex/compile-regex.ts';
import { isFault } from '../../../kernel/fault.ts';
import {
  isArray,
  isRegoNumber,
  numberText,
  type RegoObject,
  type RegoValue,
} from '../../values/rego-value.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { exactNumberOf } from './exact-number.ts';
import type { NumberKeyword, SizeKeyword, SubSchema } from './sub-schema.ts';

/** The texts are gojsonschema's: policies compare them. */
export function invalidType(expected: string, given: string): never {
  return fail(`Invalid type. Expected: ${expected}, given: ${given}`);
}

export function readText(object: RegoObject, keyword: string): string | undefined {
  const value = object.get(keyword);
  return value === undefined || typeof value === 'string' ? value : invalidType('string', keyword);
}

export function readList(object: RegoObject, keyword: string): readonly RegoValue[] | undefined {
  const value = object.get(keyword);
  return value === undefined || isArray(value) ? value : fail(`${keyword} must be of an array`);
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'null', 'object', 'string'];

export function readTypes(value: RegoValue | undefined, { types }: SubSchema): void {
  if (value === undefined) return;
  const wanted = typeof value === 'string' ? [value] : value;
  if (!isArray(wanted)) return invalidType('type', 'string/Array Of Strings');
  for (const type of wanted) {
    if (typeof type !== 'string') return invalidType('type', 'string/Array Of Strings');
    if (!TYPES.includes(type))
      fail(
        `has a primitive type that is NOT VALID -- given: /${type}/ Expected valid values are:[${TYPES.join(' ')}]`,
      );
    if (types.includes(type)) fail(`${type} type is duplicated`);
    types.push(type);
  }
}

export function readNumbers(object: RegoObject, schema: SubSchema, charge: Charge): void {
  const step = object.get('multipleOf');
  if (step !== undefined) {
    const read = isRegoNumber(step) ? exactNumberOf(step, charge) : invalidType('Number', 'multipleOf');
    if (read.coefficient <= 0n) fail('multipleOf must be strictly greater than 0');
    schema.numbers.multipleOf = read;
  }
  for (const [plain, exclusive] of BOUNDS) {
    const bound = object.get(plain);
    if (bound !== undefined) {
      if (!isRegoNumber(bound)) fail(`${plain} must be of a Number`);
      else schema.numbers[plain] = exactNumberOf(bound, charge);
    }
    readExclusive(object.get(exclusive), { schema, plain, exclusive, charge });
  }
}

const BOUNDS = [
  ['minimum', 'exclusiveMinimum'],
  ['maximum', 'exclusiveMaximum'],
] as const;

interface Bound {
  readonly schema: SubSchema;
  readonly plain: 'minimum' | 'maximum';
  readonly exclusive: NumberKeyword;
  readonly charge: Charge;
}

/** In draft 4 it says how the other bound is meant, later it is a bound of its own. */
function readExclusive(
  value: RegoValue | undefined,
  { schema: { draft, numbers }, plain, exclusive, charge }: Bound,
): void {
  if (value === undefined) return;
  if (typeof value === 'boolean' && (draft === 4 || draft === 'any')) {
    if (numbers[plain] === undefined) return fail(`${exclusive} cannot be used without ${plain}`);
    if (!value) return;
    numbers[exclusive] = numbers[plain];
    delete numbers[plain];
  } else if (isRegoNumber(value) && draft !== 4) {
    numbers[exclusive] = exactNumberOf(value, charge);
  } else {
    const expected = { 4: 'boolean', 6: 'number', 7: 'number', any: 'boolean/number' } as const;
    invalidType(expected[draft], exclusive);
  }
}

const LARGEST = 2n ** 63n - 1n;

export function readSizes(
  object: RegoObject,
  { sizes }: SubSchema,
  [least, most]: readonly [SizeKeyword, SizeKeyword],
): void {
  for (const keyword of [least, most]) {
    const value = object.get(keyword);
    if (value === undefined) continue;
    const size = integer(value) ?? fail(`${keyword} must be of an integer`);
    if (size < 0n) fail(`${keyword} must be greater than or equal to 0`);
    sizes[keyword] = size;
  }
  const isBackwards = (sizes[least] ?? 0n) > (sizes[most] ?? LARGEST);
  // Of items they do not say it.
  if (isBackwards && least !== 'minItems') fail(`${least} cannot be greater than ${most}`);
}

function integer(value: RegoValue): bigint | undefined {
  const digits = isRegoNumber(value) ? numberText(value) : '';
  if (!/^-?\d{1,19}$/.test(digits)) return undefined;
  const size = BigInt(digits);
  return size <= LARGEST && size >= -LARGEST - 1n ? size : undefined;
}

export function readRequired(object: RegoObject, { required }: SubSchema): void {
  for (const name of readList(object, 'required') ?? []) {
    if (typeof name !== 'string') return invalidType('string', 'required');
    if (required.has(name)) fail('required items must be unique');
    required.add(name);
  }
}

/** Fails with the message when it is no expression of RE2. */
export function readPattern(pattern: string, message: string, charge: Charge): RegexProgram {
  charge(150 + pattern.length * 2);
  const program = compileRegex(pattern);
  if (isFault(program)) return fail(message);
  charge(program.steps.length);
  return program;
}
