import { compareTexts } from '../values/compare-values.ts';
import { isRegoNumber, numberText, type RegoValue } from '../values/rego-value.ts';
import { displayValue } from '../values/print-value.ts';
import type { Builtin } from './builtin.ts';
import { charged } from './charge.ts';
import { formatGo, type Operand } from './format-go.ts';
import { array, count, fail, text, texts } from './operands.ts';

export const STRINGS: Readonly<Record<string, Builtin>> = {
  sprintf: (args, { charge }) => {
    const format = text(args, 0);
    charged(charge, format.length);
    return formatGo(format, array(args, 1).map(operandOf), charge);
  },

  indexof_n: (args, { charge }) => {
    const [where, what] = [text(args, 0), text(args, 1)];
    if (what === '') fail('empty search character');
    charged(charge, where.length);
    const found: number[] = [];
    let points = 0;
    let from = 0;
    for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + 1)) {
      points += codePoints(where.slice(from, at));
      from = at;
      found.push(points);
    }
    return found;
  },

  'strings.any_prefix_match': (args, { charge }) =>
    anyAffix(texts(args, 0), texts(args, 1), { charge, from: (value) => value }),
  'strings.any_suffix_match': (args, { charge }) =>
    anyAffix(texts(args, 0), texts(args, 1), { charge, from: reversed }),

  'strings.count': (args, { charge }) => {
    const [where, what] = [text(args, 0), text(args, 1)];
    charged(charge, where.length);
    return what === '' ? codePoints(where) + 1 : where.split(what).length - 1;
  },

  'strings.split_n': (args, { charge }) => {
    const [whole, delimiter, wanted] = [text(args, 0), text(args, 1), count(args, 2)];
    charged(charge, whole.length);
    const parts = delimiter === '' ? Array.from(whole) : whole.split(delimiter);
    return wanted >= 0 ? parts.slice(0, wanted) : parts.slice(Math.max(parts.length + wanted, 0));
  },
};

function codePoints(value: string): number {
  let points = 0;
  for (const _ of value) points++;
  return points;
}

function operandOf(value: RegoValue): Operand {
  if (typeof value === 'string' || !isRegoNumber(value)) {
    const shown = typeof value === 'string' ? value : displayValue(value);
    return { kind: 'string', value: shown, size: shown.length };
  }
  const digits = numberText(value);
  if (/^-?\d{1,10000}$/.test(digits)) {
    const integer = BigInt(digits);
    return {
      kind: BigInt.asIntN(64, integer) === integer ? 'int64' : '*big.Int',
      value: integer,
      size: digits.length,
    };
  }
  const double = Number(digits);
  if (!Number.isFinite(double)) return { kind: 'string', value: digits, size: digits.length };
  return { kind: 'float64', value: double, size: 1 };
}

/** Sorted, texts with one prefix stand together right behind it, so each prefix needs one look. */
function anyAffix(
  values: readonly string[],
  affixes: readonly string[],
  { charge, from }: { readonly charge: (units: number) => void; readonly from: (value: string) => string },
): boolean {
  const total = [...values, ...affixes].reduce((sum, value) => sum + value.length + 16, 0);
  charged(charge, total * 8);
  const ordered = values.map(from).sort(compareTexts);
  return affixes
    .map(from)
    .some((affix) => ordered[firstNotBelow(ordered, affix)]?.startsWith(affix) === true);
}

function firstNotBelow(ordered: readonly string[], value: string): number {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTexts(ordered[middle] as string, value) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function reversed(value: string): string {
  return Array.from(value).toReversed().join('');
}
