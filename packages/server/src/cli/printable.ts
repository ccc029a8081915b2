/** Colours and weights of our own (`CommandIo.paint`), behind the escape character: red, green, yellow, bold, and their ends. */
const OURS = ['[31m', '[32m', '[33m', '[39m', '[1m', '[22m'];
/** Control characters apart from line feed and tab, what reorders text, and characters that are not Unicode. */
const UNPRINTABLE = /[[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]--[\n\t]]/gv;

/**
 * A text for a terminal. Messages of policies, names in modules and labels of files could move the cursor, hide what stands
 * before them or set the window's title; so what steers is shown as JSON writes it (`\u001b`), which leaves JSON what it is.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character, offset: number) => {
    const isOurs = character === '\u001b' && OURS.some((style) => text.startsWith(style, offset + 1));
    return isOurs ? character : escaped(character);
  });
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
