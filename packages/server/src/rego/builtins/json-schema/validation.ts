import type { RegoValue } from '../../values/rego-value.ts';
import type { Charge } from '../charge.ts';
import type { Place, SchemaResult } from './schema-result.ts';
import type { SubSchema } from './sub-schema.ts';

/** One validation. */
export interface Validation {
  readonly charge: Charge;
  /** What a schema says to a value, told in the result. */
  apply(schema: SubSchema, value: RegoValue, at: Finding): void;
  /** The same, with a result of its own. */
  ask(schema: SubSchema, value: RegoValue, place: Place): SchemaResult;
}

/** Where a value is, and where to tell what is wrong with it. */
export interface Finding {
  readonly place: Place;
  readonly result: SchemaResult;
}
