/** Characters of one text in a log line or a record: the limit of the plugin reference. */
export const MAX_TEXT = 2048;

/** The text, with `…` at its end when it was longer than `length` characters. Never half of a surrogate pair. */
export function cut(text: string, length: number = MAX_TEXT): string {
  if (text.length <= length) return text;
  return `${text
    .slice(0, length - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`;
}
