/**
 * The value of a JSON number as text, the same for all of its spellings: `1`, `1.0` and `10e-1` are `1e0`. Exponents of more
 * than 15 digits stay as they were written.
 */
export function canonicalDecimal(text: string): string {
  const match = NUMBER.exec(text);
  if (match === null) throw new TypeError('not a JSON number');
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = trimZeros(whole + fraction);
  if (digits.text === '') return '0';
  if (exponent.length > 15) return `${sign}${whole}.${fraction}e${exponent}`;
  return `${sign}${digits.text}e${Number(exponent) - fraction.length + digits.dropped}`;
}

/** Whether the double that a number was read as prints as the same value again. */
export function isExactDouble(text: string, value: number): boolean {
  if (text.length <= 15 && !/[eE]/.test(text)) return true;
  return Number.isFinite(value) && canonicalDecimal(text) === canonicalDecimal(String(value));
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Without zeros at either end; `dropped` counts those at the right. */
function trimZeros(digits: string): { text: string; dropped: number } {
  // Loops, not regular expressions: those are quadratic on a long run of zeros that is not at the end.
  let start = 0;
  while (start < digits.length && digits[start] === '0') start++;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end--;
  return { text: digits.slice(start, end), dropped: digits.length - end };
}
