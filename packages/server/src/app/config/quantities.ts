import { z } from 'zod';
import { parseDuration } from '../../kernel/duration.ts';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { parseByteSize } from '../../kernel/quantity.ts';

interface Range {
  readonly min: number;
  readonly max: number;
}

type Quantity = z.ZodType<number, string | number>;

/** A length of time as people write it (`250ms`, `95s`, `2m`, `0`); milliseconds after parsing. */
export function durationSchema(range: Range): Quantity {
  // Zero needs no unit.
  return quantity((text) => (text === '0' ? 0 : parseDuration(text)), ' ms', range);
}

/** A size as people write it (`7Mi`, `512Ki`, `1024`); bytes after parsing. */
export function bytesSchema(range: Range): Quantity {
  return quantity(parseByteSize, ' bytes', range);
}

function quantity(parse: (text: string) => number | Fault, unit: string, { min, max }: Range): Quantity {
  return z.union([z.string(), z.number()]).transform((written, context) => {
    const value = parse(String(written));
    if (!isFault(value) && value >= min && value <= max) return value;
    const message = isFault(value)
      ? `cannot be used: ${value.message}`
      : `must be between ${min}${unit} and ${max}${unit}, not \`${String(written)}\``;
    context.issues.push({ code: 'custom', message, input: written });
    return z.NEVER;
  });
}
