const STAR = 0x2a;
const QUESTION = 0x3f;

/** Whether one of the globs matches the whole of a text. */
export type TextMatcher = (text: string) => boolean;

/** `*` stands for any characters, none included, `?` for one. Without globs nothing matches. */
export function createGlobMatcher(globs: readonly string[]): TextMatcher {
  if (globs.some((glob) => /^\*+$/.test(glob))) return () => true;
  const names = new Set(globs.filter((glob) => !/[*?]/.test(glob)));
  const patterns = globs.filter((glob) => /[*?]/.test(glob));
  if (patterns.length === 0) return (text) => names.has(text);
  return (text) => {
    if (names.has(text)) return true;
    for (const pattern of patterns) if (matchesGlob(pattern, text)) return true;
    return false;
  };
}

/** At most text length times glob length steps: on a mismatch only the last `*` takes one character more. */
export function matchesGlob(glob: string, text: string): boolean {
  let at = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < text.length) {
    const wanted = glob.charCodeAt(at);
    if (wanted === STAR) {
      star = at++;
      resume = position;
    } else if (wanted === QUESTION || wanted === text.charCodeAt(position)) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++resume;
    } else {
      return false;
    }
  }
  while (glob.charCodeAt(at) === STAR) at++;
  return at === glob.length;
}
