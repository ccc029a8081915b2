import type { JsonObject, JsonValue } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';

export function reported(text: string): Fault {
  return new Fault('PC_WASI_ERROR', text);
}

export function unreadable(why: string): Fault {
  return new Fault('PC_WASI_OUTPUT', why);
}

/** What all parts of one answer share. */
interface Finding {
  problem: Fault | undefined;
}

/**
 * Members of an object in an answer: null reads as absent, another type than the wanted one is a problem, never a guess. The first
 * problem is kept, so that one asks for all that is needed and looks at `problem` once, before anything is made of it.
 */
export class AnswerReader {
  readonly #object: JsonObject;
  readonly #finding: Finding;

  constructor(object: JsonObject, finding: Finding = { problem: undefined }) {
    this.#object = object;
    this.#finding = finding;
  }

  /** Of the whole answer that this is a part of. */
  get problem(): Fault | undefined {
    return this.#finding.problem;
  }

  text(key: string): string | undefined {
    return this.#read(key, isText, 'a string');
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, isFlag, 'true or false');
  }

  texts(key: string): readonly string[] | undefined {
    return this.#read(key, isTexts, 'an array of strings');
  }

  textMap(key: string): Readonly<Record<string, string>> | undefined {
    return this.#map(key, isText, 'an object of strings');
  }

  textsMap(key: string): Readonly<Record<string, readonly string[]>> | undefined {
    return this.#map(key, isTexts, 'an object of arrays of strings');
  }

  /** An HTTP status of an error. */
  errorStatus(key: string): number | undefined {
    // 0 is what encoders write for none.
    return this.#read(key, isErrorStatus, 'an HTTP status of an error') || undefined;
  }

  object(key: string): AnswerReader | undefined {
    const value = this.#read(key, isJsonObject, 'an object');
    return value && new AnswerReader(value, this.#finding);
  }

  /** Of the answer's own kind; `mayBeMissing` where guests usually do not say so. */
  expectKind(wanted: AnswerKind): void {
    for (const key of ['apiVersion', 'kind'] as const) {
      const value = this.text(key);
      if (value === undefined ? wanted.mayBeMissing : value === wanted[key]) continue;
      const found = value === undefined ? 'missing' : `\`${value}\``;
      this.#keep(unreadable(`\`${key}\` of its answer must be \`${wanted[key]}\`, it is ${found}`));
    }
  }

  #read<T extends JsonValue>(key: string, is: (value: JsonValue) => value is T, what: string): T | undefined {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
    if (value === undefined || value === null) return undefined;
    if (is(value)) return value;
    this.#keep(unreadable(`\`${key}\` of its answer must be ${what}`));
    return undefined;
  }

  /** Without the members that are null. */
  #map<T extends JsonValue>(
    key: string,
    is: (value: JsonValue) => value is T,
    what: string,
  ): Readonly<Record<string, T>> | undefined {
    const isMap = (value: JsonValue): value is JsonObject =>
      isJsonObject(value) && Object.values(value).every((item = null) => item === null || is(item));
    const map = this.#read(key, isMap, what);
    // Its members were looked at above.
    return map && (withoutNulls(map) as Readonly<Record<string, T>>);
  }

  #keep(problem: Fault): void {
    this.#finding.problem ??= problem;
  }
}

export interface AnswerKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly mayBeMissing: boolean;
}

function isText(value: JsonValue): value is string {
  return typeof value === 'string';
}

function isFlag(value: JsonValue): value is boolean {
  return typeof value === 'boolean';
}

function isErrorStatus(value: JsonValue): value is number {
  return (
    value === 0 || (typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599)
  );
}

function isTexts(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function withoutNulls(map: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}
