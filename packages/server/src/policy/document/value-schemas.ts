import { z } from 'zod';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { parsePointer } from '../../kernel/json-patch/json-pointer.ts';
import { parseByteSize } from '../../kernel/quantity.ts';
import { SYSTEM_PREFIX } from '../system-names.ts';
import { normalizeBase64 } from './base64.ts';
import { isLabelKey, isLabelValue, isSubdomain } from './names.ts';

/** A text, checked and brought into one form; `parse` answers the form, or what is wrong as it follows the key's name. */
export function textSchema<T>(parse: (text: string) => T | Problem): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (!(value instanceof Problem)) return value;
    context.issues.push({
      code: 'custom',
      message: value.message,
      params: { fault: value.fault },
      input: text,
    });
    return z.NEVER;
  });
}

class Problem {
  readonly message: string;
  /** When it is not the ordinary PC_POLICY_VALUE. */
  readonly fault: 'PC_POLICY_VALUE' | 'PC_POLICY_BASE64';

  constructor(message: string, fault: Problem['fault'] = 'PC_POLICY_VALUE') {
    this.message = message;
    this.fault = fault;
  }
}

export function show(text: string): string {
  return `\`${text.length > 64 ? `${text.slice(0, 64)}…` : text}\``;
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** The bounds as people write them. */
  readonly shown: string;
}

function inBounds(value: number | Fault, bounds: Bounds, text: string): number | Problem {
  if (isFault(value)) return new Problem(value.message);
  if (value >= bounds.min && value <= bounds.max) return value;
  return new Problem(`must be ${bounds.shown}, not ${show(text)}`);
}

/** Whole milliseconds. */
export function durationSchema(bounds: Bounds): z.ZodType<number, string> {
  return textSchema((text) => inBounds(parseDuration(text), bounds, text));
}

/** Whole bytes, from a quantity or a plain number. */
export function byteSizeSchema(bounds: Bounds): z.ZodType<number, string | number> {
  return z
    .union([z.string(), z.number()], { error: 'must be a size such as `16Mi`' })
    .transform((written, context) => {
      const size = inBounds(parseByteSize(String(written)), bounds, String(written));
      if (!(size instanceof Problem)) return size;
      context.issues.push({ code: 'custom', message: size.message, input: written });
      return z.NEVER;
    });
}

/** Lower-case hex without prefix, from any letter case and with or without `sha256:`. */
export const sha256Schema = textSchema((text) => {
  const hex = text.toLowerCase().replace(/^sha256:/, '');
  return /^[0-9a-f]{64}$/.test(hex) ? hex : new Problem(`must be 64 hex digits, not ${show(text)}`);
});

export const base64Schema = textSchema((text) => {
  const packed = normalizeBase64(text);
  if (packed === '') return new Problem('must not be empty', 'PC_POLICY_BASE64');
  return packed ?? new Problem('is not standard base64 with padding', 'PC_POLICY_BASE64');
});

export const nameSchema = textSchema((text) =>
  isSubdomain(text)
    ? text
    : new Problem(
        `must be a name of at most 253 lower-case letters, digits, \`-\` and \`.\` that begins and ends with a letter or digit, not ${show(text)}`,
      ),
);

/** Names of namespaces are labels of DNS: no dot, and shorter than other names. */
export const namespaceSchema = textSchema((text) =>
  text.length <= 63 && !text.includes('.') && isSubdomain(text)
    ? text
    : new Problem(
        `must be a namespace of at most 63 lower-case letters, digits and \`-\` that begins and ends with a letter or digit, not ${show(text)}`,
      ),
);

export const labelKeySchema = textSchema((text) =>
  isLabelKey(text)
    ? text
    : new Problem(`must be a label key such as \`app.kubernetes.io/name\`, not ${show(text)}`),
);

export const labelValueSchema = textSchema((text) =>
  isLabelValue(text)
    ? text
    : new Problem(
        `must be a label value: at most 63 letters, digits, \`-\`, \`_\` and \`.\`, not ${show(text)}`,
      ),
);

export const urlSchema = textSchema((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return new Problem(`must be an https URL, not ${show(text)}`);
  // A password in a document would end up in every log that names the place.
  return url.username === '' && url.password === ''
    ? text
    : new Problem('must not hold a user name or password');
});

export const filledText = textSchema((text) =>
  text.trim() === '' ? new Problem('must not be empty') : text,
);

// One of `pods`, `pods/exec`, `pods/*`, `*`, `*/scale`, `*/*`. All resources are lower case: `Pod` would silently match nothing.
export const resourcePatternSchema = textSchema((text) =>
  /^(?:\*|[a-z0-9][-a-z0-9.]*)(?:\/(?:\*|[a-z0-9][-a-z0-9.]*))?$/.test(text)
    ? text
    : new Problem(
        `must be a resource in lower case such as \`pods\`, \`pods/exec\`, \`*\` or \`*/scale\`, not ${show(text)}`,
      ),
);

export const systemNameSchema = textSchema((text) =>
  text.startsWith(SYSTEM_PREFIX)
    ? text
    : new Problem(`must begin with \`${SYSTEM_PREFIX}\`: all other names may be given, not ${show(text)}`),
);

export const namespaceGlobSchema = textSchema((text) =>
  /^[-a-z0-9*?]{1,253}$/.test(text)
    ? text
    : new Problem(`must be the name of a namespace, \`*\` and \`?\` allowed, not ${show(text)}`),
);

/** Words that CEL keeps for itself. */
const RESERVED = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);

export const memberNameSchema = textSchema((text) =>
  /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(text) && !RESERVED.has(text)
    ? text
    : new Problem(`must be letters, digits and \`_\`, so that the expression can call it, not ${show(text)}`),
);

/** Milliseconds since 1970, from an RFC 3339 time with its offset. */
export const timeSchema = textSchema((text) => {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i.test(text)
    ? Date.parse(text)
    : NaN;
  return Number.isNaN(time)
    ? new Problem(`must be a time such as \`2027-01-31T00:00:00Z\`, not ${show(text)}`)
    : time;
});

export const pointerSchema = textSchema((text) =>
  parsePointer(text) === undefined || text === ''
    ? new Problem(`must be a JSON pointer such as \`/spec/hostNetwork\`, not ${show(text)}`)
    : text,
);

export const policyGlobSchema = textSchema((text) =>
  /^[-a-z0-9.*?/]{1,507}$/.test(text)
    ? text
    : new Problem(`must be the name of a policy, \`*\` and \`?\` allowed, not ${show(text)}`),
);

/** As in rules of RBAC. */
export const nonResourceUrlSchema = z
  .string()
  .regex(/^(?:\*|\/[^*]*\*?)$/, 'must begin with `/`, and may have one `*` at its end');
