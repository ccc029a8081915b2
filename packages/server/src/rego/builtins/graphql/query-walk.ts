import type { Charge } from '../charge.ts';
import type { SchemaModel } from './schema-model.ts';
import type {
  Definition,
  Field,
  FieldDefinition,
  Fragment,
  Selection,
  TypeReference,
  Variable,
} from './syntax-tree.ts';

/** Fails when two fields of a selection, with the fragments in it, give different things the same name in the response. */
export type MergeCheck = (selections: readonly Selection[]) => void;

/** What is known of a query while it is gone through. */
export interface QueryWalk {
  readonly model: SchemaModel;
  readonly charge: Charge;
  /** The first of each name. */
  readonly fragments: ReadonlyMap<string, Fragment>;
  /** Of each field that was come to: the type that it was looked for in, and what it is there. */
  readonly found: Map<Field, FoundField>;
  /** Of the operation that is gone through; undefined within fragments alone. */
  variables: ReadonlyMap<string, Variable> | undefined;
  readonly used: Set<Variable>;
  /** Fragments that operations spread. */
  readonly spread: Set<string>;
  /** Those that the operation, or fragment, has been in. */
  visited: Set<string>;
  readonly merge: MergeCheck;
}

export interface FoundField {
  readonly parent: Definition | undefined;
  readonly definition: FieldDefinition | undefined;
}

/** What a value has to be. */
export interface Expected {
  readonly type: TypeReference | undefined;
  readonly definition: Definition | undefined;
  readonly hasDefault: boolean;
}
