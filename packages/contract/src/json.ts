/**
 * A JSON value as Portcullis passes it around. A number that a double cannot hold exactly (an integer above 2^53,
 * a long fraction) appears as {@link RawNumber}, which keeps its source text; `JSON.stringify` writes it back verbatim.
 */
export type JsonValue = null | boolean | number | string | RawNumber | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** What `JSON.rawJSON` makes: a frozen object whose `rawJSON` is the source text of one number. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** One operation of RFC 6902. */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

export type JsonPatch = readonly JsonPatchOperation[];

/**
 * One JSON document with both of its faces: the bytes as they arrived, which are spliced to guests unchanged, and the
 * value, parsed on first use and kept.
 */
export interface JsonDocument {
  /** UTF-8, already known to be one well-formed JSON value. */
  readonly bytes: Uint8Array;
  /** Exact value (see {@link JsonValue}); the same object at each call, never to be changed. */
  value(): JsonValue;
}
