import { Fault } from '../kernel/fault.ts';

/** JSON as it comes out of a parser. */
type Members = Readonly<Record<string, unknown>>;

/** What all parts of one spec share. */
interface Problem {
  fault: Fault | undefined;
}

/**
 * Members of the spec of a review: null reads as absent, as it does for the API server, and another type than the wanted one is a
 * problem. The first one is kept: one asks for all that is needed and looks at it once. It names the member and never its value,
 * which may be a token.
 */
export class SpecReader {
  readonly #members: Members;
  readonly #path: string;
  readonly #problem: Problem;

  constructor(members: Members, path = 'spec', problem: Problem = { fault: undefined }) {
    this.#members = members;
    this.#path = path;
    this.#problem = problem;
  }

  /** Of the whole spec that this is a part of. */
  get problem(): Fault | undefined {
    return this.#problem.fault;
  }

  fail(why: string): void {
    this.#problem.fault ??= new Fault('PC_REVIEW_SPEC', `\`${this.#path}\` ${why}`);
  }

  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  text(key: string): string {
    return this.#read(key, isText, 'a string') ?? '';
  }

  texts(key: string): readonly string[] {
    return this.#read(key, isTexts, 'an array of strings') ?? [];
  }

  /** Values that are null are empty lists. */
  textsMap(key: string): Readonly<Record<string, readonly string[]>> {
    const map = this.#read(key, isTextsMap, 'an object of arrays of strings') ?? {};
    return Object.fromEntries(Object.entries(map).map(([name, values]) => [name, values ?? []]));
  }

  object(key: string): SpecReader | undefined {
    const members = this.#read(key, isMembers, 'an object');
    return members && new SpecReader(members, `${this.#path}.${key}`, this.#problem);
  }

  objects(key: string): readonly SpecReader[] {
    const items = this.#read(key, isMembersList, 'an array of objects') ?? [];
    return items.map((item, index) => new SpecReader(item, `${this.#path}.${key}[${index}]`, this.#problem));
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#members, key) ? (this.#members[key] ?? undefined) : undefined;
  }

  #read<T>(key: string, isWanted: (value: unknown) => value is T, wanted: string): T | undefined {
    const value = this.#get(key);
    if (value === undefined || isWanted(value)) return value;
    this.#problem.fault ??= new Fault('PC_REVIEW_SPEC', `\`${this.#path}.${key}\` must be ${wanted}`);
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMembersList(value: unknown): value is readonly Members[] {
  return Array.isArray(value) && value.every(isMembers);
}

function isTextsMap(value: unknown): value is Readonly<Record<string, readonly string[] | null>> {
  return isMembers(value) && Object.values(value).every((item) => item === null || isTexts(item));
}
