import type { RegexProgram } from '../../../kernel/regex/compile-regex.ts';
import type { ExactNumber } from './exact-number.ts';

/** Drafts that are told apart; of a schema that names none the keywords of all hold. */
export type Draft = 4 | 6 | 7 | 'any';

/** Whether what came with a draft is known in another one. */
export function knows(draft: Draft, since: 6 | 7): boolean {
  return draft === 'any' || draft >= since;
}

/** A schema that has been read. */
export interface SubSchema {
  readonly draft: Draft;
  /** `true` or `false` for a schema: what it says to everything. */
  verdict?: boolean;
  /** Another schema says it all. */
  target?: SubSchema;
  readonly types: string[];
  readonly properties: Map<string, SubSchema>;
  readonly patternProperties: PatternSchema[];
  additionalProperties?: boolean | SubSchema;
  propertyNames?: SubSchema;
  readonly dependencies: Map<string, readonly string[] | SubSchema>;
  /** For every item, or for the first ones in their order. */
  items?: SubSchema | readonly SubSchema[];
  additionalItems?: boolean | SubSchema;
  contains?: SubSchema;
  uniqueItems?: boolean;
  readonly numbers: { [keyword in NumberKeyword]?: ExactNumber };
  readonly sizes: { [keyword in SizeKeyword]?: bigint };
  pattern?: { readonly source: string; readonly program: RegexProgram };
  format?: string;
  readonly required: Set<string>;
  /** Comparable text of the only value. */
  constant?: string;
  /** Comparable texts of the values. */
  choices?: ReadonlySet<string>;
  readonly oneOf: SubSchema[];
  readonly anyOf: SubSchema[];
  readonly allOf: SubSchema[];
  not?: SubSchema;
  if?: SubSchema;
  then?: SubSchema;
  else?: SubSchema;
}

export interface PatternSchema {
  readonly program: RegexProgram;
  readonly schema: SubSchema;
}

export type NumberKeyword = 'multipleOf' | 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum';
export type SizeKeyword =
  'minLength' | 'maxLength' | 'minProperties' | 'maxProperties' | 'minItems' | 'maxItems';

export function createSubSchema(draft: Draft): SubSchema {
  return {
    draft,
    types: [],
    properties: new Map(),
    patternProperties: [],
    dependencies: new Map(),
    numbers: {},
    sizes: {},
    required: new Set(),
    oneOf: [],
    anyOf: [],
    allOf: [],
  };
}
