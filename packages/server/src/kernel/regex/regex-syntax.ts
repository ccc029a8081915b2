/** Whether a character, as a code point, belongs to a set. */
export type CharacterTest = (point: number) => boolean;

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'boundary' | 'inside';

/** What a pattern says. */
export type RegexNode =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  /** Numbered from 1 by their opening parentheses. */
  | {
      readonly kind: 'capture';
      readonly number: number;
      readonly name: string | undefined;
      readonly node: RegexNode;
    }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: RegexNode;
      readonly min: number;
      /** Infinity: no bound. */
      readonly max: number;
      readonly isGreedy: boolean;
    };
