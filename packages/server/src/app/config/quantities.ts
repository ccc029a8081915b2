import { z } from 'zod';

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A length of time as people write it (`250ms`, `95s`, `2m`, `0`); milliseconds after parsing. */
export function durationSchema(range: Range): z.ZodType<number, string | number> {
  return quantity(
    /^(\d+(?:\.\d+)?)(ms|s|m|h)$/,
    DURATION_UNITS,
    'a duration such as `250ms`, `5s` or `2m`',
    range,
  );
}

/** A size as people write it (`7Mi`, `512Ki`, `1024`); bytes after parsing. */
export function bytesSchema(range: Range): z.ZodType<number, string | number> {
  return quantity(
    /^(\d+)(Ki|Mi|Gi|)$/,
    BYTE_UNITS,
    'a size such as `512Ki`, `7Mi` or a number of bytes',
    range,
  );
}

function quantity(
  form: RegExp,
  units: Readonly<Record<string, number>>,
  what: string,
  { min, max }: Range,
): z.ZodType<number, string | number> {
  return z.union([z.string(), z.number()]).transform((written, context) => {
    const text = String(written);
    const match = form.exec(text);
    // Zero needs no unit, in any of the two.
    const value = text === '0' ? 0 : Number(match?.[1] ?? NaN) * (units[match?.[2] ?? ''] ?? NaN);
    if (Number.isFinite(value) && value >= min && value <= max) return value;
    const unit = units === BYTE_UNITS ? ' bytes' : ' ms';
    const problem = Number.isFinite(value)
      ? `must be between ${min}${unit} and ${max}${unit}`
      : `must be ${what}`;
    context.issues.push({ code: 'custom', message: `${problem}, not \`${text}\``, input: written });
    return z.NEVER;
  });
}
