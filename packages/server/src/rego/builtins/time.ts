import { verbatimNumber } from '../../kernel/json/exact-json.ts';
import {
  integerOf,
  isArray,
  isRegoNumber,
  numberText,
  type RegoNumber,
  type RegoValue,
} from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { count, fail, text } from './operands.ts';
import { DAYS, formatTime, parseTime } from './time-layout.ts';
import { fromFields, toZone, type ZonedTime } from './zoned-time.ts';

const RFC3339 = 'RFC3339';
const LIMIT = 2n ** 63n;

export const TIME: Readonly<Record<string, Builtin>> = {
  'time.now_ns': (_args, { now }) => integerNumber(now),
  'time.parse_ns': (args) => moment(parseTime(text(args, 1), text(args, 0))),
  'time.parse_rfc3339_ns': (args) => moment(parseTime(text(args, 0), RFC3339)),
  'time.parse_duration_ns': (args) => integerNumber(parseDuration(text(args, 0))),

  'time.date': ([value]) => {
    const { year, month, day } = shown(value).time;
    return [year, month, day];
  },
  'time.clock': ([value]) => clock(shown(value).time),
  'time.weekday': ([value]) => DAYS[shown(value).time.weekday],
  'time.format': ([value], { charge }) => {
    const { time, layout } = shown(value);
    charge(layout.length);
    return formatTime(time, layout || 'RFC3339Nano');
  },

  'time.add_date': (args) => {
    const { time } = shown(args[0]);
    const { year, month, day, hour, minute, second, fraction, zone } = time;
    const fields = [
      year + count(args, 1),
      month + count(args, 2),
      day + count(args, 3),
      hour,
      minute,
      second,
    ];
    return moment(fromFields(fields, fraction, zone));
  },

  'time.diff': (args) => difference(shown(args[0]).time, shown(args[1]).time),
};

function clock({ hour, minute, second }: ZonedTime): number[] {
  return [hour, minute, second];
}

export function integerNumber(value: bigint): RegoNumber {
  return verbatimNumber(String(value));
}

function moment(nanoseconds: bigint): RegoNumber {
  const isSane = nanoseconds >= -LIMIT && nanoseconds < LIMIT;
  return isSane ? integerNumber(nanoseconds) : fail('time outside of valid range');
}

/** Nanoseconds, or an array of them, a zone and a layout. */
function shown(value: RegoValue | undefined): { readonly time: ZonedTime; readonly layout: string } {
  const parts = value !== undefined && isArray(value) ? value : [value];
  const [nanoseconds, zone = '', layout = ''] = parts;
  if (typeof zone !== 'string' || typeof layout !== 'string') return fail('zone and layout must be strings');
  if (nanoseconds === undefined || !isRegoNumber(nanoseconds)) {
    return fail('operand 1 must be either number (ns) or [number (ns), string (tz)]');
  }
  const exact = integerOf(nanoseconds) ?? wholeNumber(numberText(nanoseconds));
  if (exact < -LIMIT || exact >= LIMIT) fail('timestamp too big');
  return { time: toZone(exact, zone === '' || zone === 'Local' ? 'UTC' : zone), layout };
}

/** `1.0`, `1e18` */
function wholeNumber(digits: string): bigint {
  const whole = /^(-?\d+)\.0+$/.exec(digits)?.[1];
  if (whole !== undefined) return BigInt(whole);
  const double = /[eE]/.test(digits) ? Number(digits) : NaN;
  return Number.isInteger(double) ? BigInt(double) : fail('timestamp too big');
}

/** Years, months, days, hours, minutes and seconds between two moments, as clocks of the first one's zone show them. */
function difference(first: ZonedTime, second: ZonedTime): RegoValue {
  const other = toZone(second.nanoseconds, first.zone);
  const [from, to] = first.nanoseconds > other.nanoseconds ? [other, first] : [first, other];
  const [fields, bases] = [fieldsOf(from), [Infinity, 12, daysInMonth(from), 24, 60, 60]];
  const result = fieldsOf(to).map((value, index) => value - (fields[index] as number));
  for (let index = result.length - 1; index > 0; index--) {
    if ((result[index] as number) >= 0) continue;
    (result[index] as number) += bases[index] as number;
    (result[index - 1] as number) -= 1;
  }
  return result;
}

function fieldsOf({ year, month, day, hour, minute, second }: ZonedTime): number[] {
  return [year, month, day, hour, minute, second];
}

function daysInMonth({ year, month }: ZonedTime): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

const HOUR = 3_600_000_000_000n;
const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: HOUR,
  d: HOUR * 24n,
  w: HOUR * 24n * 7n,
  y: HOUR * 24n * 365n,
};

/** `1h30m`, `-1.5s`; also days, weeks and years of 365 days. */
function parseDuration(duration: string): bigint {
  const match = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|[smhdwy]))+|0)$/.exec(
    duration.slice(0, 1000),
  );
  if (match === null) return fail(`time: invalid duration "${duration}"`);
  let sum = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of duration.matchAll(/(\d*)\.?(\d*)([a-zµμ]+)/g)) {
    const scale = NANOSECONDS[unit] ?? fail(`time: unknown unit "${unit}"`);
    sum += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  const signed = match[1] === '-' ? -sum : sum;
  return signed >= -LIMIT && signed < LIMIT ? signed : fail(`time: invalid duration "${duration}"`);
}
