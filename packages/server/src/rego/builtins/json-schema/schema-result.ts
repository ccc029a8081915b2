import type { RegoValue } from '../../values/rego-value.ts';
import { charged, type Charge } from '../charge.ts';

/** Where in a document something is: a member of what is at the place above. */
export interface Place {
  readonly name: string;
  readonly above?: Place;
}

export const ROOT: Place = { name: '(Root)' };

/** What was found wrong, in the words of gojsonschema. */
export interface SchemaError {
  readonly type: string;
  readonly field: string;
  readonly description: string;
}

/** What a schema said to a value. */
export class SchemaResult {
  readonly errors: SchemaError[] = [];
  /** The more of a schema was kept, the higher: alternatives that fail are told by the best of them. */
  score = 0;
  readonly #charge: Charge;

  constructor(charge: Charge) {
    this.#charge = charge;
  }

  get isValid(): boolean {
    return this.errors.length === 0;
  }

  add(type: string, place: Place, describe: string | ((field: string) => string)): void {
    const field = fieldOf(place, this.#charge);
    const description = typeof describe === 'string' ? describe : describe(field);
    charged(this.#charge, 2400 + description.length);
    this.errors.push({ type, field, description });
    this.score -= 2;
  }

  merge(other: SchemaResult): void {
    this.#charge(1 + (other.errors.length >> 3));
    for (const error of other.errors) this.errors.push(error);
    this.score += other.score;
  }
}

/** Path of names; of the whole document the root's. */
function fieldOf(place: Place, charge: Charge): string {
  const names: string[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.above) {
    charged(charge, at.name.length);
    names.push(at.name);
  }
  const [, ...path] = names.toReversed();
  return path.length === 0 ? ROOT.name : path.join('.');
}

export function errorValue({ type, field, description }: SchemaError): RegoValue {
  return new Map([
    ['error', `${field}: ${description}`],
    ['type', type],
    ['field', field],
    ['desc', description],
  ]);
}
