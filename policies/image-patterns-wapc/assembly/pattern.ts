/** What stands in a pattern besides the codes of characters. */
export const END: i32 = -1;
/** `?`: one character that is no `/`. */
export const ONE: i32 = -2;
/** `*`: any number of those. */
export const SOME: i32 = -3;
/** `**`: any number of characters. */
export const ANY: i32 = -4;

/** Not in a pattern: any character that stands in none. */
export const OTHER: i32 = -5;

export const SLASH: i32 = 0x2f;
const STAR: i32 = 0x2a;
const QUESTION: i32 = 0x3f;

export function readPattern(pattern: string, into: i32[]): void {
  for (let index = 0; index < pattern.length; index++) {
    const code = pattern.charCodeAt(index);
    if (code == STAR && pattern.charCodeAt(index + 1) == STAR) {
      into.push(ANY);
      index++;
    } else if (code == STAR) into.push(SOME);
    else into.push(code == QUESTION ? ONE : code);
  }
  into.push(END);
}
