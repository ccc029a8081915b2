import { verbatimNumber } from '../../kernel/json/exact-json.ts';
import type { RegoNumber } from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { fail, text } from './operands.ts';

/** `K` is 1000 and `Ki` is 1024, with either letter; `m` is a thousandth, `M` a million. */
const PREFIXES = ['', 'k', 'm', 'g', 't', 'p', 'e'];

export const UNITS: Readonly<Record<string, Builtin>> = {
  'units.parse': (args) => {
    const { amount, unit } = split(text(args, 0).replaceAll('"', ''));
    const name = unit.slice(0, 1) + unit.slice(1).toLowerCase();
    if (name === 'm') return toNumber({ ...amount, scale: amount.scale + 3 });
    const factor = factorOf(name.toLowerCase()) ?? fail(`unit ${unit} not recognized`);
    return toNumber({ ...amount, digits: amount.digits * factor });
  },

  'units.parse_bytes': (args) => {
    const { amount, unit } = split(text(args, 0).toLowerCase().replaceAll('"', ''));
    const factor = factorOf(unit.replace(/b$/, '')) ?? fail(`byte unit ${unit} not recognized`);
    if (unit === 'b') fail('byte unit b not recognized');
    const { digits, scale } = amount;
    return verbatimNumber(String((digits * factor) / 10n ** BigInt(scale)));
  },
};

/** digits / 10^scale */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const MAX_EXPONENT = 10_000;

function split(value: string): { readonly amount: Decimal; readonly unit: string } {
  if (value.includes(' ')) fail('spaces not allowed in resource strings');
  const match = /^([+-]?(?:\d[\d.]*|\.\d[\d.]*)(?:[eE][+-]?\d+)?)(.*)$/s.exec(value.slice(0, 1000));
  if (match === null) return fail('no amount provided');
  return { amount: parseDecimal(match[1] ?? ''), unit: match[2] ?? '' };
}

function parseDecimal(value: string): Decimal {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(value);
  if (match === null) return fail('could not parse amount to a number');
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const magnitude = Number(exponent);
  if (Math.abs(magnitude) > MAX_EXPONENT) fail('exponent too large');
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}` || '0');
  const scale = fraction.length - magnitude;
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

function factorOf(name: string): bigint | undefined {
  const power = PREFIXES.indexOf(name.replace(/i$/, ''));
  if (power < 0 || name === 'i') return undefined;
  return (name.endsWith('i') ? 1024n : 1000n) ** BigInt(power);
}

/** Whole numbers as such, others with ten decimals, rounded half away from zero. */
function toNumber({ digits, scale }: Decimal): RegoNumber {
  const divisor = 10n ** BigInt(scale);
  if (digits % divisor === 0n) return verbatimNumber(String(digits / divisor));
  const sign = digits < 0n ? '-' : '';
  const magnitude = digits < 0n ? -digits : digits;
  const tenths = (magnitude * 2n * 10n ** 10n + divisor) / (2n * divisor);
  const shown = String(tenths).padStart(11, '0');
  return verbatimNumber(`${sign}${shown.slice(0, -10)}.${shown.slice(-10)}`);
}
