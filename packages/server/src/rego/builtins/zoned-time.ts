import { fail } from './operands.ts';

/** A moment as a clock on some wall shows it. */
export interface ZonedTime {
  readonly nanoseconds: bigint;
  /** Name of the zone. */
  readonly zone: string;
  /** Seconds east of Greenwich. */
  readonly offset: number;
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly fraction: number;
}

const SECOND = 1_000_000_000n;

export function toZone(nanoseconds: bigint, zone: string): ZonedTime {
  const seconds = floorDivide(nanoseconds, SECOND);
  const offset = offsetOf(seconds, zone);
  const shown = new Date((seconds + offset) * 1000);
  return {
    nanoseconds,
    zone,
    offset,
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
    weekday: shown.getUTCDay(),
    fraction: Number(nanoseconds - BigInt(seconds) * SECOND),
  };
}

/** The moment at which clocks of the zone show this; fields may be beyond their range. */
export function fromFields(fields: readonly number[], fraction: number, zone: string): bigint {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = fields;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const shown = date.getTime() / 1000;
  if (Number.isNaN(shown)) fail('time outside of valid range');
  // What the offset is depends on the moment: the guess is right but around a change of clocks, as Go says of its own.
  const guess = shown - offsetOf(shown, zone);
  const seconds = shown - offsetOf(guess, zone);
  return BigInt(seconds) * SECOND + BigInt(fraction);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 64;

function offsetOf(seconds: number, zone: string): number {
  if (zone === 'UTC' || zone === '') return 0;
  const text = formatOf(zone)
    .formatToParts(new Date(seconds * 1000))
    .find(({ type }) => type === 'timeZoneName');
  const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text?.value ?? '');
  const [, sign, hours = '0', minutes = '0', rest = '0'] = match ?? [];
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  return sign === '-' ? -offset : offset;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  // Go knows zones by their names in the database, JavaScript also in other letter case and as offsets.
  if (!/^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(zone)) return fail(`unknown time zone ${zone}`);
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch {
    return fail(`unknown time zone ${zone}`);
  }
  if (formats.size >= MAX_FORMATS) formats.clear();
  formats.set(zone, format);
  return format;
}

export function floorDivide(value: bigint, divisor: bigint): number {
  const quotient = value / divisor;
  return Number(value % divisor < 0n ? quotient - 1n : quotient);
}
