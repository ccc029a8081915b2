import type { Document } from './opa-call.ts';

/** Of so many keys that objects grow three times, and that some share a bucket: of several lengths, some the beginning of another. */
const WIDE = Array.from({ length: 30 }, (_, index) => `"${'key'.repeat(1 + (index % 3))}${index}":${index}`);
/** More elements than an array makes room for twice. */
const LONG = Array.from({ length: 23 }, (_, index) => `${index - 11}`);

/**
 * JSON with every kind of value. What a module's own parser makes of it has to be what the reader makes of it (is-alike.ts in
 * assembly/opa-adapter/reader), or its inputs are left to its parser.
 */
const TEXT = String.raw`
{ "null": null, "flags": [true, false, false, true], "empty": [[], {}, ""],
  "numbers": [0, -0, 7, -12, 2147483648, 9223372036854775807, 18446744073709551616,
    123456789012345678901234567890, 0.5, -1.25, 1e3, 1E+3, 2.5e-7, 1e400, 0.1000000000000000055511151231257827],
  "strings": ["plain", "a longer one, of more than sixteen bytes", "\"\\\/\b\f\n\r\t", "\u0041\u00e9\u20ac\u0000.",
    "é", "€", "𝄞", "Grüße, 世界", "\u007f ~"],
  "": { "": "", "é": 1, "e": 2, "\u00e9t\u00e9": 3, "世": 4, "𝄞": 5, "\n": 6 },
  "twice": 1, "twice": { "a": 1, "b": 2, "a": [3] },
  "nested": [[[[{ "a": { "b": { "c": [null] } } }]]]],
  "wide": {${WIDE.join(', ')}},
  "long": [${LONG.join(' ,\t')}] }
`;

export const OPA_PROBE: Document = [Buffer.from(TEXT)];
