import { toSingleLine } from '../single-line.ts';

/** What Kubernetes recommends for one warning, in characters. */
const MAX_WARNING = 120;
/** Above this total, in code points, the API server cuts every warning and drops the last ones. */
const MAX_TOTAL = 4096;
/** Kept for the last warning, which counts the ones that are left out. */
const RESERVE = 48;
/** Further ones are not even looked at: a guest can write a million empty ones. */
const MAX_WARNINGS = 1000;

/** Warnings as the API server passes them on: single lines, no two alike, long ones broken between words, bounded in total. */
export function legalWarnings(warnings: readonly string[]): readonly string[] {
  const lines = new Set<string>();
  let room = MAX_TOTAL - RESERVE;
  for (const [index, warning] of warnings.entries()) {
    if (index === MAX_WARNINGS) return [...lines, notShown(warnings.length - index)];
    for (const line of breakLine(warning)) {
      if (lines.has(line)) continue;
      room -= lengthOf(line);
      if (room < 0) return [...lines, notShown(warnings.length - index)];
      lines.add(line);
    }
  }
  return [...lines];
}

function notShown(count: number): string {
  return `${count} more warnings are not shown in full`;
}

function breakLine(warning: string): readonly string[] {
  // A guest may write megabytes: what can never be shown is not even cleaned.
  let rest = toSingleLine(warning.slice(0, 2 * MAX_TOTAL));
  const lines: string[] = [];
  let prefix = '';
  while (rest.length > MAX_WARNING - prefix.length) {
    const room = MAX_WARNING - prefix.length;
    const space = rest.lastIndexOf(' ', room);
    const end = space > room / 2 ? space : wholeCharacters(rest, room);
    lines.push(prefix + rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
    prefix = '… ';
  }
  if (rest !== '') lines.push(prefix + rest);
  return lines;
}

/** Never between the two halves of a character. */
function wholeCharacters(text: string, length: number): number {
  return (text.charCodeAt(length - 1) & 0xfc00) === 0xd800 ? length - 1 : length;
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
