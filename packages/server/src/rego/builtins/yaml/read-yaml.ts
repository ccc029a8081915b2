import type { Node, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import {
  isObject,
  numberText,
  isRegoNumber,
  type RegoObject,
  type RegoValue,
} from '../../values/rego-value.ts';
import { decodeBase64 } from '../base64.ts';
import type { Charge } from '../charge.ts';
import { formatFloat } from '../format-float.ts';
import { fail } from '../operands.ts';
import { resolvePlain } from './resolve-plain.ts';
import { yamlLibrary } from './yaml-library.ts';

/** The first document of a stream as Go's yaml.v3 reads it, as JSON; fails when any document is none. */
export function readYaml(source: string, charge: Charge): RegoValue {
  charge(costOf(source));
  const documents = yamlLibrary().parseAllDocuments(source, {
    schema: 'failsafe',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  if (!Array.isArray(documents)) return null;
  for (const [index, { errors, directives }] of documents.entries()) {
    if (errors.length > 0) fail(errors[0]?.message ?? 'invalid YAML');
    if (index > 0 && directives.docStart !== true) fail('did not find expected document start');
  }
  const [first] = documents;
  return first === undefined ? null : new Reader(charge).value(first.contents);
}

const STRUCTURE = new Set(',:\n\r[]{}*&!?"\'');

/** The parser takes some microseconds for whatever begins or ends a node, and little for the characters of a text. */
function costOf(source: string): number {
  let nodes = source.split('- ').length;
  for (const character of source) if (STRUCTURE.has(character)) nodes++;
  return nodes * 40 + (source.length >> 1);
}

const MERGE = '<<';
const TAG = 'tag:yaml.org,2002:';

class Reader {
  readonly #charge: Charge;
  /** As they have been come to; the library would look through the whole document for each. */
  readonly #anchors = new Map<string, Node>();
  /** Nodes that are being read: one inside of itself has no end. */
  readonly #open = new Set<Node>();
  /** Within what aliases stand for, whose anchors are known. */
  #aliases = 0;

  constructor(charge: Charge) {
    this.#charge = charge;
  }

  value(node: Node | ParsedNode | null | undefined): RegoValue {
    this.#charge(5);
    const { isAlias, isMap, isScalar, isSeq } = yamlLibrary();
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.#followed(node.source);
    if (node.anchor !== undefined && this.#aliases === 0) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    if (isMap(node)) return this.#map(node);
    return isSeq(node) ? this.#list(node) : fail('an unknown node');
  }

  #followed(anchor: string): RegoValue {
    const target = this.#anchors.get(anchor) ?? fail(`unknown anchor '${anchor}'`);
    if (this.#open.has(target)) fail(`anchor '${anchor}' value contains itself`);
    this.#aliases++;
    const value = this.value(target);
    this.#aliases--;
    return value;
  }

  #list(node: YAMLSeq): readonly RegoValue[] {
    this.#open.add(node);
    const values = node.items.map((item) => this.value(item as Node | null));
    this.#open.delete(node);
    return values;
  }

  #map(node: YAMLMap): RegoObject {
    this.#open.add(node);
    const members = new Map<RegoValue, RegoValue>();
    const merged: RegoObject[] = [];
    for (const { key, value } of node.items as readonly { key: Node | null; value: Node | null }[]) {
      if (isMerge(key)) merged.push(...this.#merged(value));
      else members.set(keyText(this.value(key)), this.value(value));
    }
    // What the map says itself comes before what is merged, and what is merged first before the rest.
    for (const object of merged) {
      for (const [name, value] of object) {
        this.#charge(1);
        if (!members.has(name)) members.set(name, value);
      }
    }
    this.#open.delete(node);
    return members;
  }

  #merged(node: Node | null): readonly RegoObject[] {
    const value = this.value(node);
    const objects = Array.isArray(value) ? (value as readonly RegoValue[]) : [value];
    return objects.map((object) =>
      isObject(object) ? object : fail('map merge requires map or sequence of maps as the value'),
    );
  }

  #scalar({ source, tag = '!', type, value }: Scalar): RegoValue {
    const text = typeof value === 'string' ? value : '';
    this.#charge(1 + (text.length >> 6));
    const isPlain = type === 'PLAIN';
    const written = isPlain ? (source ?? text) : text;
    if (tag === '!') return isPlain ? resolvePlain(written) : text;
    // A tag of somebody's own says nothing of the type, but that it is none of the known ones.
    return tag.startsWith(TAG) ? taggedValue(tag.slice(TAG.length), text, written) : text;
  }
}

function taggedValue(tag: string, text: string, written: string): RegoValue {
  if (tag === 'str') return text;
  if (tag === 'binary')
    return (decodeBase64(text) ?? fail('!!binary value contains invalid base64')).toString();
  const value = resolvePlain(written);
  return isTagged(tag, value) ? value : fail(`cannot decode as !!${tag}`);
}

function isMerge(key: Node | null): boolean {
  const { isScalar } = yamlLibrary();
  return isScalar(key) && key.type === 'PLAIN' && key.value === MERGE && key.tag === undefined;
}

function keyText(key: RegoValue): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'boolean') return String(key);
  if (key !== null && isRegoNumber(key))
    return typeof key === 'number' && !Number.isInteger(key) ? singleText(key) : numberText(key);
  return fail('a key that is neither text nor number nor boolean');
}

/** As few digits as tell a float of 32 bits. */
function singleText(value: number): string {
  const single = Math.fround(value);
  const digits = [1, 2, 3, 4, 5, 6, 7, 8].find((count) => Math.fround(+value.toPrecision(count)) === single);
  const size = Number(Math.abs(value).toPrecision(digits ?? 9));
  return `${value < 0 ? '-' : ''}${formatFloat(size, 'g', undefined)}`;
}

function isTagged(tag: string, value: RegoValue): boolean {
  switch (tag) {
    case 'null':
      return value === null;
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return isRegoNumber(value) && /^-?\d+$/.test(numberText(value));
    case 'float':
      return isRegoNumber(value);
    case 'timestamp':
      return false;
    default:
      return true;
  }
}
