import { fail } from './operands.ts';
import { fromFields, type ZonedTime } from './zoned-time.ts';

/** Names that Rego takes for layouts of Go's. */
const NAMED = new Map([
  ['ANSIC', 'Mon Jan _2 15:04:05 2006'],
  ['UnixDate', 'Mon Jan _2 15:04:05 MST 2006'],
  ['RubyDate', 'Mon Jan 02 15:04:05 -0700 2006'],
  ['RFC822', '02 Jan 06 15:04 MST'],
  ['RFC822Z', '02 Jan 06 15:04 -0700'],
  ['RFC850', 'Monday, 02-Jan-06 15:04:05 MST'],
  ['RFC1123', 'Mon, 02 Jan 2006 15:04:05 MST'],
  ['RFC1123Z', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['RFC3339', '2006-01-02T15:04:05Z07:00'],
  ['RFC3339Nano', '2006-01-02T15:04:05.999999999Z07:00'],
]);

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
export const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** What Go takes for parts of a layout, the longer before the shorter; everything else stands for itself. */
const PART =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|002|_2(?!006)|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|01|02|03|04|05|06|PM|pm|15|[.,](?:0+|9+)(?!\d)|1|2|3|4|5/g;

interface Parsed {
  year: number;
  month: number;
  day: number;
  /** 0 when it is not told. */
  yearday: number;
  hour: number;
  minute: number;
  second: number;
  fraction: number;
  isAfternoon: boolean | undefined;
  offset: number;
}

type Write = (time: ZonedTime) => string;
type Read = (text: string, parsed: Parsed) => void;

interface Part {
  readonly write: Write;
  /** What it looks like; read without it when absent. */
  readonly pattern: string;
  readonly read?: Read;
}

const two = (value: number): string => String(value).padStart(2, '0');

function numeric(write: (time: ZonedTime) => number, read: Read, { digits, fill = '0' }: Shape): Part {
  const least = digits === 2 && fill === '0' ? '\\d{2}' : '[ ]?\\d{1,2}';
  return { write: (time) => String(write(time)).padStart(digits, fill), pattern: least, read };
}

interface Shape {
  readonly digits: number;
  readonly fill?: string;
}

const setMonth: Read = (text, parsed) => (parsed.month = inRange(text, 1, 12));
const setDay: Read = (text, parsed) => (parsed.day = inRange(text, 1, 31));
const setHour: Read = (text, parsed) => (parsed.hour = inRange(text, 0, 23));
const setHour12: Read = (text, parsed) => (parsed.hour = inRange(text, 0, 12));
const setMinute: Read = (text, parsed) => (parsed.minute = inRange(text, 0, 59));
const setSecond: Read = (text, parsed) => (parsed.second = inRange(text, 0, 59));
const twelve = ({ hour }: ZonedTime): number => hour % 12 || 12;

const PARTS: Readonly<Record<string, Part>> = {
  January: names(
    MONTHS,
    ({ month }) => month - 1,
    (index, parsed) => (parsed.month = index + 1),
  ),
  Jan: names(
    short(MONTHS),
    ({ month }) => month - 1,
    (index, parsed) => (parsed.month = index + 1),
  ),
  Monday: names(
    DAYS,
    ({ weekday }) => weekday,
    () => undefined,
  ),
  Mon: names(
    short(DAYS),
    ({ weekday }) => weekday,
    () => undefined,
  ),
  MST: { write: zoneName, pattern: '[A-Z]{3,5}|[+-]\\d{2}', read: readZoneName },
  '2006': {
    write: ({ year }) => String(year).padStart(4, '0'),
    pattern: '\\d{4}',
    read: (text, parsed) => (parsed.year = Number(text)),
  },
  '06': {
    write: ({ year }) => two(((year % 100) + 100) % 100),
    pattern: '\\d{2}',
    read: (text, parsed) => (parsed.year = Number(text) + (Number(text) >= 69 ? 1900 : 2000)),
  },
  '01': numeric(({ month }) => month, setMonth, { digits: 2 }),
  '1': numeric(({ month }) => month, setMonth, { digits: 1 }),
  '02': numeric(({ day }) => day, setDay, { digits: 2 }),
  _2: numeric(({ day }) => day, setDay, { digits: 2, fill: ' ' }),
  '2': numeric(({ day }) => day, setDay, { digits: 1 }),
  '002': { write: (time) => String(dayOfYear(time)).padStart(3, '0'), pattern: '\\d{3}', read: setYearDay },
  __2: {
    write: (time) => String(dayOfYear(time)).padStart(3, ' '),
    pattern: '[ ]{0,2}\\d{1,3}',
    read: setYearDay,
  },
  '15': numeric(({ hour }) => hour, setHour, { digits: 2 }),
  '03': numeric(twelve, setHour12, { digits: 2 }),
  '3': numeric(twelve, setHour12, { digits: 1 }),
  '04': numeric(({ minute }) => minute, setMinute, { digits: 2 }),
  '4': numeric(({ minute }) => minute, setMinute, { digits: 1 }),
  '05': numeric(({ second }) => second, setSecond, { digits: 2 }),
  '5': numeric(({ second }) => second, setSecond, { digits: 1 }),
  PM: { write: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'), pattern: 'AM|PM', read: setHalf },
  pm: { write: ({ hour }) => (hour >= 12 ? 'pm' : 'am'), pattern: 'am|pm', read: setHalf },
  ...Object.fromEntries(
    ['07', '0700', '07:00', '070000', '07:00:00'].flatMap((shape) => [
      [`-${shape}`, offsetPart(shape, false)],
      [`Z${shape}`, offsetPart(shape, true)],
    ]),
  ),
};

export function formatTime(time: ZonedTime, layout: string): string {
  // Each part once: names of zones are slow to find.
  const written = new Map<string, string>();
  return (NAMED.get(layout) ?? layout).replace(PART, (part) => {
    const text = written.get(part) ?? partOf(part)?.write(time) ?? part;
    written.set(part, text);
    return text;
  });
}

function partOf(part: string): Part | undefined {
  return part[0] === '.' || part[0] === ',' ? fractionPart(part) : PARTS[part];
}

/** Nanoseconds since 1970; in UTC when the text names no offset. */
export function parseTime(text: string, layout: string): bigint {
  const wanted = NAMED.get(layout) ?? layout;
  if (wanted.length + text.length > 1000) return fail('a time or a layout that is too long');
  const parsed: Parsed = {
    year: 0,
    month: 1,
    day: 1,
    yearday: 0,
    hour: 0,
    minute: 0,
    second: 0,
    fraction: 0,
    isAfternoon: undefined,
    offset: 0,
  };
  // Part by part and never back, as in Go: one expression for the whole layout could take longer than anybody lives.
  let at = 0;
  const take = (pattern: string): string => {
    const expression = new RegExp(pattern, 'y');
    expression.lastIndex = at;
    const found = expression.exec(text)?.[0] ?? fail(`cannot parse \`${text}\` as \`${wanted}\``);
    at += found.length;
    return found;
  };
  let from = 0;
  for (const match of wanted.matchAll(PART)) {
    take(literal(wanted.slice(from, match.index)));
    from = match.index + match[0].length;
    const part = partOf(match[0]);
    part?.read?.(take(part.pattern), parsed);
    // Go takes fractions of seconds that the layout has not.
    if (/^0?5$/.test(match[0]) && !/^[.,][09]/.test(wanted.slice(from)))
      readFraction(take('(?:[.,]\\d+)?'), parsed);
  }
  take(`${literal(wanted.slice(from))}$`);
  return momentOf(parsed);
}

function momentOf(parsed: Parsed): bigint {
  const { year, month, day, yearday, minute, second, fraction, isAfternoon, offset } = parsed;
  let { hour } = parsed;
  if (isAfternoon === true && hour < 12) hour += 12;
  else if (isAfternoon === false && hour === 12) hour = 0;
  const date = yearday > 0 ? [year, 1, yearday] : [year, month, day];
  const isReal = yearday > 0 || day <= new Date(Date.UTC(year === 0 ? 4 : year, month, 0)).getUTCDate();
  if (!isReal) fail('day out of range');
  return fromFields([...date, hour, minute, second], fraction, 'UTC') - BigInt(offset) * 1_000_000_000n;
}

function names(list: readonly string[], indexOf: (time: ZonedTime) => number, set: Set_): Part {
  return {
    write: (time) => list[indexOf(time)] ?? '',
    pattern: list.join('|'),
    read: (text, parsed) => set(list.indexOf(text), parsed),
  };
}

type Set_ = (index: number, parsed: Parsed) => unknown;

function short(list: readonly string[]): readonly string[] {
  return list.map((name) => name.slice(0, 3));
}

function offsetPart(shape: string, isZulu: boolean): Part {
  const colon = shape.includes(':') ? ':' : '';
  const pieces = shape.replaceAll(':', '').length / 2;
  const digits = Array.from({ length: pieces }, () => '\\d{2}').join(colon);
  return {
    write({ offset }) {
      if (isZulu && offset === 0) return 'Z';
      const seconds = Math.abs(offset);
      const numbers = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].slice(
        0,
        pieces,
      );
      return (offset < 0 ? '-' : '+') + numbers.map(two).join(colon);
    },
    pattern: isZulu ? `Z|[+-]${digits}` : `[+-]${digits}`,
    read(text, parsed) {
      const numbers = (text.match(/\d\d/g) ?? []).map(Number);
      const [hours = 0, minutes = 0, seconds = 0] = numbers;
      if (hours > 24 || minutes > 60 || seconds > 60) fail('offset out of range');
      parsed.offset = (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
    },
  };
}

/** `.000` always writes so many digits, `.999` none that are zero. */
function fractionPart(part: string): Part {
  const places = part.length - 1;
  return {
    write({ fraction }) {
      const digits = String(fraction).padStart(9, '0').slice(0, places);
      const shown = part[1] === '9' ? digits.replace(/0+$/, '') : digits.padEnd(places, '0');
      return shown === '' ? '' : part[0] + shown;
    },
    pattern: part[1] === '9' ? '(?:[.,]\\d+)?' : `[.,]\\d{${places}}`,
    read: readFraction,
  };
}

function readFraction(text: string, parsed: Parsed): void {
  parsed.fraction = Number(text.slice(1, 10).padEnd(9, '0'));
}

function setYearDay(text: string, parsed: Parsed): void {
  parsed.yearday = inRange(text, 1, 366);
}

function setHalf(text: string, parsed: Parsed): void {
  parsed.isAfternoon = text.toUpperCase() === 'PM';
}

/** Each knows the short names of its own part of the world. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ'];

function zoneName({ zone, nanoseconds, offset }: ZonedTime): string {
  if (zone === 'UTC' || zone === '') return 'UTC';
  const date = new Date(Number(nanoseconds / 1_000_000n));
  for (const locale of LOCALES) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' });
    const name = format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{3,5}$/.test(name)) return name;
  }
  return (offset < 0 ? '-' : '+') + two(Math.floor(Math.abs(offset) / 3600));
}

/** Go gives a zone that it does not know the offset 0, but `GMT+3` its own. */
function readZoneName(text: string, parsed: Parsed): void {
  if (/^[+-]/.test(text)) parsed.offset = Number(text) * 3600;
}

function dayOfYear({ year, month, day }: ZonedTime): number {
  return Math.round((Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / 86_400_000) + 1;
}

function inRange(text: string, least: number, most: number): number {
  const value = Number(text);
  return value >= least && value <= most ? value : fail(`${text.trim()} is out of range`);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
