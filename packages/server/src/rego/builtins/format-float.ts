/** A double that is not negative, as Go writes it: verbs e, E, f, F, g, G and v; undefined for another verb. */
export function formatFloat(value: number, verb: string, precision: number | undefined): string | undefined {
  if (!'eEfFgGv'.includes(verb)) return undefined;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : 'Inf';
  const isUpper = verb === 'E' || verb === 'G';
  const text = WRITERS[verb.toLowerCase()]?.(value, precision);
  return isUpper ? text?.toUpperCase() : text;
}

type Write = (value: number, precision: number | undefined) => string;

const WRITERS: Readonly<Record<string, Write>> = {
  e: (value, precision) => exponential(value, precision ?? 6),
  f: (value, precision) => fixed(value, precision ?? 6),
  g: general,
  v: general,
};

/** What JavaScript formats itself. */
const MAX_DIGITS = 100;

function exponential(value: number, precision: number | undefined): string {
  const digits = precision === undefined ? undefined : Math.min(precision, MAX_DIGITS);
  const [rounded = '', exponent = ''] = value.toExponential(digits).split('e');
  const [exact = ''] = value.toExponential(MAX_DIGITS).split('e');
  const mantissa = digits === undefined ? rounded : halfEven(rounded, exact, digits);
  return `${mantissa}e${exponent[0] ?? '+'}${exponent.slice(1).padStart(2, '0')}`;
}

function fixed(value: number, precision: number): string {
  const digits = Math.min(precision, MAX_DIGITS);
  // From 10^21 on JavaScript writes an exponent; such doubles are integers.
  const text =
    value < 1e21
      ? halfEven(value.toFixed(digits), value.toFixed(MAX_DIGITS), digits)
      : BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  return precision > MAX_DIGITS ? text + '0'.repeat(precision - MAX_DIGITS) : text;
}

/** JavaScript rounds what lies in the middle up, Go to the even digit. */
function halfEven(rounded: string, exact: string, digits: number): string {
  const end = exact.indexOf('.') + 1 + digits;
  const isMiddle = /^50*$/.test(exact.slice(end));
  const cut = exact.slice(0, digits === 0 ? end - 1 : end);
  return isMiddle && /[02468]$/.test(cut) ? cut : rounded;
}

/** With an exponent below -4 and from the precision on, for which 6 stands where as many digits as needed are written. */
function general(value: number, precision: number | undefined): string {
  const significant = precision === undefined ? undefined : Math.min(Math.max(precision, 1), MAX_DIGITS);
  const digits = significant === undefined ? undefined : significant - 1;
  const exponent = Number(value.toExponential(digits).split('e')[1]);
  if (exponent < -4 || exponent >= (significant ?? 6)) return shortened(exponential(value, digits));
  if (significant === undefined) return String(value);
  return withoutZeros(fixed(value, Math.min(Math.max(significant - 1 - exponent, 0), MAX_DIGITS)));
}

function shortened(text: string): string {
  const [mantissa = '', exponent = ''] = text.split('e');
  return `${withoutZeros(mantissa)}e${exponent}`;
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
