import { displayValue } from '../values/print-value.ts';
import { isArray, RegoSet, type RegoValue } from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { array, count, fail, integer, text } from './operands.ts';
import { integerNumber } from './time.ts';
import { parseUri } from './uri.ts';
import { parseUuid } from './uuid.ts';

export const MISC: Readonly<Record<string, Builtin>> = {
  trace: (args, { print }) => {
    print(text(args, 0));
    return true;
  },
  print: (args, { print }) => {
    print(args.map(shown).join(' '));
    return true;
  },
  // Each operand is a set with its value, or an empty one where that is undefined.
  'internal.print': (args, { print }) => {
    print(array(args, 0).map(printed).join(' '));
    return true;
  },

  'opa.runtime': () => new Map(),

  'glob.quote_meta': (args) => text(args, 0).replace(/[*?\\[\]{}]/g, '\\$&'),

  'numbers.range_step': (args, { charge }) => {
    const [from, to, step] = [integer(args, 0), integer(args, 1), integer(args, 2)];
    if (step <= 0n) fail('step must be a positive integer');
    const size = (from <= to ? to - from : from - to) / step + 1n;
    charge(Number(size) * 8);
    const signed = from <= to ? step : -step;
    return Array.from({ length: Number(size) }, (_, index) => integerNumber(from + BigInt(index) * signed));
  },

  'rand.intn': (args, { memory, random }) => {
    const [seed, limit] = [text(args, 0), Math.abs(count(args, 1))];
    if (limit === 0) return 0;
    return remembered(memory, `rand.intn ${limit} ${seed}`, () => {
      const bits = Buffer.from(random(8)).readBigUInt64BE();
      return Number(bits % BigInt(limit));
    });
  },

  'uuid.rfc4122': (args, { memory, random }) =>
    remembered(memory, `uuid ${displayValue(args[0] ?? null)}`, () => {
      const bytes = Buffer.from(random(16));
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    }),
  'uuid.parse': (args) => parseUuid(text(args, 0)),

  'uri.parse': (args) => parseUri(text(args, 0)) ?? fail('invalid URI'),
  'uri.is_valid': ([value]) => typeof value === 'string' && value !== '' && parseUri(value) !== undefined,
};

function remembered(memory: Map<string, RegoValue>, key: string, make: () => RegoValue): RegoValue {
  const value = memory.get(key) ?? make();
  memory.set(key, value);
  return value;
}

function shown(value: RegoValue): string {
  return typeof value === 'string' ? value : displayValue(value);
}

function printed(operand: RegoValue): string {
  const values = operand instanceof RegoSet ? operand.members : [operand];
  const [value] = values;
  if (value === undefined) return '<undefined>';
  return isArray(value) ? displayValue(value) : shown(value);
}
