import { isWord } from './character-classes.ts';
import type { RegexProgram } from './compile-regex.ts';
import type { Assertion } from './regex-syntax.ts';

/** Told before work that the caller may not want to pay for; may throw. */
export type Charge = (units: number) => void;

export interface SearchOptions {
  readonly limit: number;
  readonly charge: Charge;
  /** Only whether there is a match: the first one ends the search, wherever it ends. */
  readonly isTest: boolean;
}

/** Start and end in UTF-16 units; then those of each capture that is kept, -1 where it has no part in the match. */
export type Match = readonly [start: number, end: number, ...captures: number[]];

/**
 * The matches in a text, from the left, none of which overlap. Of those with one start the one that
 * the pattern prefers, as in RE2 and Perl. All threads walk through the text together (Pike's machine), so nothing is tried twice.
 */
export function findMatches(
  program: RegexProgram,
  text: string,
  { limit, charge, isTest }: SearchOptions,
): readonly Match[] {
  const matches: Match[] = [];
  const search = new Search(program, text, isTest, charge);
  for (let from = 0; from <= text.length && matches.length < limit;) {
    const match = search.next(from);
    if (match === undefined) break;
    // As in Go, an empty match right after another match is none.
    if (match[1] > match[0] || match[0] !== matches.at(-1)?.[1]) matches.push(match);
    from = match[1] > match[0] ? match[1] : match[1] + width(text, match[1]);
  }
  return matches;
}

function width(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** Threads in the order of preference; each waits for a character, or has matched. */
interface Threads {
  readonly steps: number[];
  readonly starts: number[];
  /** Of each thread, by slot; empty when captures are not kept. */
  readonly marks: Marks[];
}

type Marks = readonly number[];
const NO_MARKS: Marks = [];

/** Where a thread comes to a step, and what it brings. */
interface Arrival {
  readonly at: number;
  readonly begun: number;
  readonly marks: Marks;
}

class Search {
  readonly #program: RegexProgram;
  readonly #text: string;
  readonly #isTest: boolean;
  readonly #charge: Charge;
  /** By step: the position for which it was last added. */
  readonly #added: Int32Array;
  /** Steps that were gone through since the last charge: more than there are threads, for an assertion can end what splits began. */
  #visited = 0;
  readonly #noMarks: Marks;

  constructor(program: RegexProgram, text: string, isTest: boolean, charge: Charge) {
    this.#program = program;
    this.#text = text;
    this.#isTest = isTest;
    this.#charge = charge;
    this.#added = new Int32Array(program.steps.length);
    this.#noMarks =
      program.captures.length === 0
        ? NO_MARKS
        : Array.from({ length: program.captures.length * 2 }, () => -1);
  }

  next(from: number): Match | undefined {
    const text = this.#text;
    const { steps, start } = this.#program;
    let threads: Threads = { steps: [], starts: [], marks: [] };
    let found: Match | undefined;
    this.#added.fill(-1);
    for (let at = from; at <= text.length;) {
      // A later start never beats an earlier one.
      if (found === undefined) this.#add(threads, start, { at, begun: at, marks: this.#noMarks });
      if (threads.steps.length === 0 && found !== undefined) break;
      this.#charge(1 + (this.#visited >> 1));
      this.#visited = 0;
      const point = text.codePointAt(at);
      const size = (point ?? 0) > 0xffff ? 2 : 1;
      const following: Threads = { steps: [], starts: [], marks: [] };
      for (const [index, place] of threads.steps.entries()) {
        const step = steps[place];
        const begun = threads.starts[index] as number;
        const marks = threads.marks[index] as Marks;
        if (step?.kind === 'match') {
          found = [begun, at, ...marks];
          if (this.#isTest) return found;
          // Threads after this one are less preferred.
          break;
        }
        if (step?.kind === 'character' && point !== undefined && step.test(point)) {
          this.#add(following, step.next, { at: at + size, begun, marks });
        }
      }
      threads = following;
      at += size;
    }
    return found;
  }

  /** Follows what needs no character. With a stack of its own: a pattern may be long. */
  #add(threads: Threads, place: number, { at, begun, marks }: Arrival): void {
    const pending = [place];
    const pendingMarks = [marks];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const present = pendingMarks.pop() as Marks;
      this.#visited++;
      if (this.#added[next] === at) continue;
      this.#added[next] = at;
      const step = this.#program.steps[next];
      if (step?.kind === 'split') {
        pending.push(step.second, step.first);
        pendingMarks.push(present, present);
      } else if (step?.kind === 'mark') {
        this.#visited += present.length >> 2;
        pending.push(step.next);
        pendingMarks.push(present.with(step.slot - 2, at));
      } else if (step?.kind === 'assertion') {
        if (!holds(step.assertion, this.#text, at)) continue;
        pending.push(step.next);
        pendingMarks.push(present);
      } else {
        threads.steps.push(next);
        threads.starts.push(begun);
        threads.marks.push(present);
      }
    }
  }
}

function holds(assertion: Assertion, text: string, at: number): boolean {
  switch (assertion) {
    case 'textStart':
      return at === 0;
    case 'textEnd':
      return at === text.length;
    case 'lineStart':
      return at === 0 || text[at - 1] === '\n';
    case 'lineEnd':
      return at === text.length || text[at] === '\n';
    case 'boundary':
      return isBoundary(text, at);
    case 'inside':
      return !isBoundary(text, at);
    default:
      return assertion satisfies never;
  }
}

function isBoundary(text: string, at: number): boolean {
  const before = at > 0 && isWord(text.charCodeAt(at - 1));
  const after = at < text.length && isWord(text.charCodeAt(at));
  return before !== after;
}
