import { Fault } from './fault.ts';

/** The finest step of a Kubernetes quantity; whatever is finer is rounded up, away from zero. */
const NANO = 9;
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/;
/** Longer texts are no quantity that anyone means. */
const MAX_LENGTH = 64;

/** A Kubernetes quantity (`16Mi`, `500k`, `100m`, `1.5`, `1e3`) as a whole number of billionths; undefined when it is none. */
export function parseQuantity(text: string): bigint | undefined {
  const match = text.length <= MAX_LENGTH ? FORM.exec(text) : null;
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const binary = BINARY[suffix];
  const power = NANO - fraction.length + (exponent === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponent));
  const digits = BigInt(`${whole}${fraction}`) << BigInt(binary ?? 0);
  const magnitude = power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
  return sign === '-' ? -magnitude : magnitude;
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/**
 * A size in bytes: `16Mi`, `1Gi`, `500k`, or a plain number. Answers whole bytes, or PC_POLICY_VALUE whose message can follow
 * the name of a key.
 */
export function parseByteSize(text: string): number | Fault {
  const nano = parseQuantity(text);
  if (nano !== undefined && nano >= 0n && nano % 1_000_000_000n === 0n) {
    const bytes = Number(nano / 1_000_000_000n);
    if (Number.isSafeInteger(bytes)) return bytes;
  }
  return new Fault(
    'PC_POLICY_VALUE',
    `\`${text.slice(0, MAX_LENGTH)}\` is not a size such as \`16Mi\`, \`500k\` or a number of bytes`,
  );
}

/** The shortest text that {@link parseByteSize} reads back as the same whole bytes. */
export function formatByteSize(bytes: number): string {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new TypeError(`not whole bytes: ${bytes}`);
  if (bytes === 0) return '0';
  const unit = (['Gi', 'Mi', 'Ki'] as const).find((name) => bytes % 2 ** (BINARY[name] ?? 0) === 0);
  return unit === undefined ? String(bytes) : `${bytes / 2 ** (BINARY[unit] ?? 0)}${unit}`;
}
