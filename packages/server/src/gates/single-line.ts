/** Control characters (Unicode category Cc) and the two line separators: the API server drops a warning that has one. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029]+/gu;
const NOT_IN_TEXT = /[\p{Cc}--[\n\t]]/gv;

/** One line of valid Unicode. */
export function toSingleLine(text: string): string {
  return text.toWellFormed().replaceAll(UNPRINTABLE, ' ').trim();
}

/** Valid Unicode of any number of lines, without what could steer a terminal, cut to so many characters. */
export function toText(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return cut.toWellFormed().replaceAll(NOT_IN_TEXT, ' ');
}
