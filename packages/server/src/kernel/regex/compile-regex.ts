import { Fault, isFault } from '../fault.ts';
import { parseRegex } from './parse-regex.ts';
import type { Assertion, CharacterTest, RegexNode } from './regex-syntax.ts';

/** One step of the automaton; numbers are the places of other steps. */
export type Step =
  | { readonly kind: 'character'; readonly test: CharacterTest; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  /** Both ways; what the first one finds is preferred. */
  | { readonly kind: 'split'; readonly first: number; readonly second: number }
  /** Notes the position in a slot: two for each capture, its start and its end. */
  | { readonly kind: 'mark'; readonly slot: number; readonly next: number }
  | { readonly kind: 'match' };

export interface RegexProgram {
  readonly steps: readonly Step[];
  readonly start: number;
  /** Names of the captures, from number 1 on; empty when they are not kept. */
  readonly captures: readonly (string | undefined)[];
}

const MAX_STEPS = 5000;
/** Parts of the pattern that are gone through: repetitions of nothing make no steps, however many there are inside each other. */
const MAX_VISITS = 10 * MAX_STEPS;

/**
 * A pattern as an automaton whose running time is linear in the text: steps times characters at most. Captures cost time, so
 * they are kept only where somebody asks for them.
 */
export function compileRegex(
  pattern: string,
  { keepCaptures = false }: { readonly keepCaptures?: boolean } = {},
): RegexProgram | Fault {
  const node = parseRegex(pattern);
  if (isFault(node)) return node;
  const builder = new Builder(keepCaptures);
  const start = builder.build(node, builder.add({ kind: 'match' }));
  if (builder.isFull) return new Fault('PC_POLICY_CONDITION', 'a regular expression that is too large');
  return { steps: builder.steps, start, captures: builder.captures };
}

/** Builds from the end: every part is told where to go on. */
class Builder {
  readonly steps: Step[] = [];
  readonly captures: (string | undefined)[] = [];
  readonly #keepsCaptures: boolean;
  #visits = 0;

  constructor(keepsCaptures: boolean) {
    this.#keepsCaptures = keepsCaptures;
  }

  get isFull(): boolean {
    return this.steps.length > MAX_STEPS || this.#visits > MAX_VISITS;
  }

  add(step: Step): number {
    return this.steps.push(step) - 1;
  }

  build(node: RegexNode, next: number): number {
    // The caller looks at the size; nothing more is built.
    if (this.isFull) return next;
    this.#visits += 1;
    switch (node.kind) {
      case 'character':
        return this.add({ kind: 'character', test: node.test, next });
      case 'assertion':
        return this.add({ kind: 'assertion', assertion: node.assertion, next });
      case 'capture':
        return this.#keepsCaptures ? this.#capture(node, next) : this.build(node.node, next);
      case 'sequence':
        return node.nodes.reduceRight((after, part) => this.build(part, after), next);
      case 'choice':
        return node.nodes
          .map((part) => this.build(part, next))
          .reduceRight((second, first) => this.add({ kind: 'split', first, second }));
      case 'repeat':
        return this.#repeat(node, next);
      default:
        return node satisfies never;
    }
  }

  #capture({ node, number, name }: RegexNode & { readonly kind: 'capture' }, next: number): number {
    while (this.captures.length < number) this.captures.push(undefined);
    this.captures[number - 1] = name;
    const end = this.add({ kind: 'mark', slot: number * 2 + 1, next });
    return this.add({ kind: 'mark', slot: number * 2, next: this.build(node, end) });
  }

  #repeat({ node, min, max, isGreedy }: RegexNode & { readonly kind: 'repeat' }, next: number): number {
    let start = next;
    if (max === Infinity) {
      const loop = this.add({ kind: 'match' });
      start = loop;
      this.steps[loop] = this.#split(this.build(node, loop), next, isGreedy);
    } else {
      for (let count = max; count > min && !this.isFull; count -= 1) {
        start = this.add(this.#split(this.build(node, start), next, isGreedy));
      }
    }
    for (let count = 0; count < min && !this.isFull; count += 1) start = this.build(node, start);
    return start;
  }

  #split(inside: number, after: number, isGreedy: boolean): Step {
    return isGreedy
      ? { kind: 'split', first: inside, second: after }
      : { kind: 'split', first: after, second: inside };
  }
}
