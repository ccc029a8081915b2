import { isFault } from '../../kernel/fault.ts';
import { CelFailure } from './cel-failure.ts';
import { compileRegex } from '../../kernel/regex/compile-regex.ts';
import { findMatches, type Charge } from '../../kernel/regex/run-regex.ts';

export interface Regex {
  test(text: string): boolean;
  /** The texts of at most so many matches, from the left, none of which overlap. */
  findAll(text: string, limit: number): string[];
}

/** Patterns are constants of an expression, as a rule; the bound is for those that are not. */
const MAX_PATTERNS = 256;
/** Units for a pattern that is refused, which may have been compiled for a while: a loop would try thousands of them. */
const REFUSED = 5000;

/** Compiled patterns by their text. `charge` is asked before each piece of work. */
export function createRegexCache(charge: Charge): (pattern: string) => Regex {
  const cache = new Map<string, Regex>();
  return (pattern) => {
    const known = cache.get(pattern);
    if (known !== undefined) return known;
    charge(pattern.length);
    const program = compileRegex(pattern);
    if (isFault(program)) {
      charge(REFUSED);
      throw new CelFailure(program.message);
    }
    // A short pattern can say a long program: `a{1000}`.
    charge(program.steps.length);
    const regex: Regex = {
      test: (text) => findMatches(program, text, { limit: 1, charge, isTest: true }).length > 0,
      findAll: (text, limit) =>
        findMatches(program, text, { limit, charge, isTest: false }).map(([start, end]) =>
          text.slice(start, end),
        ),
    };
    if (cache.size >= MAX_PATTERNS) cache.clear();
    cache.set(pattern, regex);
    return regex;
  };
}
