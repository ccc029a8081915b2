import { Fault } from './fault.ts';

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/y;
/** Longer texts are no duration that anyone means. */
const MAX_LENGTH = 32;

/**
 * A length of time as people write it: `250ms`, `1s`, `1.5s`, `1m30s`. Answers whole milliseconds, or PC_POLICY_VALUE whose
 * message can follow the name of a key.
 */
export function parseDuration(text: string): number | Fault {
  let total = 0;
  let at = 0;
  while (at < text.length && text.length <= MAX_LENGTH) {
    PART.lastIndex = at;
    const part = PART.exec(text);
    if (part === null) break;
    total += Number(part[1]) * (MS_PER_UNIT[part[2] ?? ''] ?? NaN);
    at = PART.lastIndex;
  }
  // Fractions such as 0.3s are off by an ulp after the multiplication.
  const milliseconds = Math.round(total);
  const isWhole = Math.abs(total - milliseconds) < 1e-6 && Number.isSafeInteger(milliseconds);
  if (at > 0 && at === text.length && isWhole) return milliseconds;
  return new Fault(
    'PC_POLICY_VALUE',
    `\`${text.slice(0, MAX_LENGTH)}\` is not a duration such as \`250ms\`, \`1s\` or \`1m30s\``,
  );
}

/** The shortest text that {@link parseDuration} reads back as the same whole milliseconds. */
export function formatDuration(milliseconds: number): string {
  if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
    throw new TypeError(`not whole milliseconds: ${milliseconds}`);
  }
  if (milliseconds === 0) return '0s';
  let rest = milliseconds;
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms']) {
    const size = MS_PER_UNIT[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}
