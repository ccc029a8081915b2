import { isFault } from '../../kernel/fault.ts';
import { compileRegex, type RegexProgram } from '../../kernel/regex/compile-regex.ts';
import { findMatches, type Match } from '../../kernel/regex/run-regex.ts';
import type { Builtin } from './builtin.ts';
import { charged, type Charge } from './charge.ts';
import { globsOverlap } from './globs-overlap.ts';
import { count, fail, text } from './operands.ts';
import { templatePattern } from './regex-template.ts';

const ALL = Number.MAX_SAFE_INTEGER;

export const REGEX: Readonly<Record<string, Builtin>> = {
  'regex.is_valid': ([pattern]) => typeof pattern === 'string' && !isFault(compileRegex(pattern)),
  'regex.match': (args, { charge }) => matches(text(args, 0), text(args, 1), charge),

  'regex.split': (args, { charge }) => {
    const [pattern, whole] = [text(args, 0), text(args, 1)];
    if (pattern !== '' && whole === '') return [''];
    const parts: string[] = [];
    let [from, last] = [0, 0];
    for (const [start, end] of findAll(pattern, whole, { charge })) {
      last = start;
      // As in Go: an empty match at the beginning splits nothing off, one at the end leaves nothing behind.
      if (end !== 0) parts.push(whole.slice(from, start));
      from = end;
    }
    if (last !== whole.length) parts.push(whole.slice(from));
    return parts;
  },

  'regex.find_n': (args, { charge }) => {
    const [pattern, whole, limit] = [text(args, 0), text(args, 1), count(args, 2)];
    return findAll(pattern, whole, { charge, limit }).map(([start, end]) => whole.slice(start, end));
  },

  'regex.find_all_string_submatch_n': (args, { charge }) => {
    const [pattern, whole, limit] = [text(args, 0), text(args, 1), count(args, 2)];
    return findAll(pattern, whole, { charge, limit, keepCaptures: true }).map((match) =>
      pairs(match).map(([start, end]) => whole.slice(Math.max(start, 0), Math.max(end, 0))),
    );
  },

  'regex.replace': (args, { charge }) => {
    const [whole, pattern, replacement] = [text(args, 0), text(args, 1), text(args, 2)];
    const keepCaptures = replacement.includes('$');
    const program = compiled(pattern, { charge, keepCaptures });
    let result = '';
    let from = 0;
    for (const match of findMatches(program, whole, { limit: ALL, charge, isTest: false })) {
      if (keepCaptures) charge(replacement.length);
      const written = keepCaptures ? expand(replacement, { program, match, whole, charge }) : replacement;
      charged(charge, 512 + written.length);
      result += whole.slice(from, match[0]) + written;
      from = match[1];
    }
    return result + whole.slice(from);
  },

  'regex.template_match': (args, { charge }) => {
    const [template, whole, open, close] = [text(args, 0), text(args, 1), text(args, 2), text(args, 3)];
    if (Buffer.byteLength(open) !== 1) fail('start delimiter has to be exactly one character long');
    if (Buffer.byteLength(close) !== 1) fail('end delimiter has to be exactly one character long');
    return matches(templatePattern(template, open, close), whole, charge);
  },

  'regex.globs_match': (args, { charge }) => globsOverlap(text(args, 0), text(args, 1), charge),
};

interface Options {
  readonly charge: Charge;
  readonly keepCaptures?: boolean;
  /** Below zero: all. */
  readonly limit?: number;
}

function compiled(pattern: string, { charge, keepCaptures = false }: Options): RegexProgram {
  charge(8 + pattern.length * 2);
  const program = compileRegex(pattern, { keepCaptures });
  if (isFault(program)) return fail(program.message);
  // A short pattern can say a long program.
  charge(program.steps.length);
  return program;
}

function findAll(pattern: string, whole: string, options: Options): readonly Match[] {
  const { charge, limit = -1 } = options;
  return findMatches(compiled(pattern, options), whole, {
    limit: limit < 0 ? ALL : limit,
    charge,
    isTest: false,
  });
}

/** Whether the pattern is somewhere in the text. */
function matches(pattern: string, whole: string, charge: Charge): boolean {
  return findMatches(compiled(pattern, { charge }), whole, { limit: 1, charge, isTest: true }).length > 0;
}

function pairs(match: Match): readonly (readonly [number, number])[] {
  return Array.from({ length: match.length / 2 }, (_, index) => [
    match[index * 2] ?? -1,
    match[index * 2 + 1] ?? -1,
  ]);
}

interface Expansion {
  readonly program: RegexProgram;
  readonly match: Match;
  readonly whole: string;
  readonly charge: Charge;
}

/** `$1`, `$name`, `${name}` and `$$` as Go's Expand reads them: the longest name counts, and an unknown one is nothing. */
function expand(template: string, { program, match, whole, charge }: Expansion): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (written, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    if (name === undefined) return written === '$$' ? '$' : written;
    charge(1 + (program.captures.length >> 4));
    const number = /^\d+$/.test(name) ? Number(name) : program.captures.indexOf(name) + 1 || -1;
    const [start = -1, end = -1] = [match[number * 2], match[number * 2 + 1]];
    charged(charge, end - start);
    return start < 0 ? '' : whole.slice(start, end);
  });
}
