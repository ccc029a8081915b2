import type { JsonValue } from '@portcullis/contract';
import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { exactNumber } from '../../kernel/json/exact-json.ts';

/** What is wrong, and the offset in the text. Thrown by {@link readYamlValue} and caught by its one caller. */
export class YamlProblem extends Error {
  readonly offset: number;

  constructor(node: Node | null | undefined, message: string) {
    super(message);
    this.offset = node?.range?.[0] ?? 0;
  }
}

const MAX_DEPTH = 128;
/** Nodes that aliases may stand for, all together: a few anchors of anchors would otherwise be millions. */
const MAX_ALIASED_NODES = 10_000;

/**
 * The JSON value of a YAML 1.2 node, numbers exact. Throws {@link YamlProblem} on what JSON cannot say, on keys that stand
 * twice, on alias bombs, and on plain scalars that YAML 1.1 readers (kubectl) and YAML 1.2 readers understand differently.
 */
export function readYamlValue(root: Node | null): JsonValue {
  return new Reader().read(root, 0);
}

/** The members of a mapping one by one, so that what is wrong with one is not wrong with the others; else as of {@link readYamlValue}. */
export function readYamlMembers(root: YAMLMap): readonly (readonly [string, JsonValue | YamlProblem])[] {
  const reader = new Reader();
  const names = new Set<string>();
  return root.items.map((pair) => {
    const key = pair.key as Node;
    try {
      const name = checkKey(key);
      if (names.has(name)) return [name, new YamlProblem(key, `key \`${name}\` stands twice in one mapping`)];
      names.add(name);
      return [name, reader.read(pair.value as Node | null, 1)];
    } catch (problem) {
      if (problem instanceof YamlProblem) return [keyOf(key) ?? '', problem];
      throw problem;
    }
  });
}

interface Anchored {
  readonly value: JsonValue;
  readonly nodes: number;
}

class Reader {
  readonly #anchors = new Map<string, Anchored>();
  #nodes = 0;
  #aliased = 0;

  read(node: Node | null | undefined, depth: number): JsonValue {
    if (node === null || node === undefined) return null;
    if (depth > MAX_DEPTH) throw new YamlProblem(node, `more than ${MAX_DEPTH} levels of nesting`);
    this.#nodes += 1;
    if (isAlias(node)) return this.#alias(node.source, node);
    const before = this.#nodes;
    checkTag(node);
    const value = this.#content(node, depth);
    if ('anchor' in node && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, { value, nodes: this.#nodes - before + 1 });
    }
    return value;
  }

  #alias(name: string, node: Node): JsonValue {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) throw new YamlProblem(node, `alias \`*${name}\` has no anchor before it`);
    this.#nodes += anchored.nodes;
    this.#aliased += anchored.nodes;
    if (this.#aliased > MAX_ALIASED_NODES) {
      throw new YamlProblem(node, `aliases stand for more than ${MAX_ALIASED_NODES} nodes`);
    }
    return anchored.value;
  }

  #content(node: Node, depth: number): JsonValue {
    if (isMap(node)) return this.#map(node, depth);
    if (isSeq(node)) return this.#list(node, depth);
    if (isScalar(node)) return readScalar(node);
    throw new YamlProblem(node, 'not a mapping, a list or a scalar');
  }

  #list(node: YAMLSeq, depth: number): JsonValue {
    return node.items.map((item) => this.read(item as Node, depth + 1));
  }

  #map(node: YAMLMap, depth: number): JsonValue {
    const object: Record<string, JsonValue> = {};
    for (const pair of node.items) {
      const key = pair.key as Node;
      const name = checkKey(key);
      if (Object.hasOwn(object, name))
        throw new YamlProblem(key, `key \`${name}\` stands twice in one mapping`);
      const value = this.read(pair.value as Node | null, depth + 1);
      // Assignment would set the prototype for `__proto__`.
      Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return object;
  }
}

/** The key of a pair as the JSON object has it; undefined for keys that JSON cannot have. */
export function keyOf(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function checkKey(key: Node): string {
  const name = keyOf(key);
  if (name === undefined) throw new YamlProblem(key, 'a key must be a plain text');
  if (name === '<<' && isPlain(key as Scalar)) {
    throw new YamlProblem(key, 'merge keys (`<<`) are not supported, write the keys out');
  }
  readScalar(key as Scalar);
  return name;
}

const TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

function checkTag(node: Node): void {
  const { tag } = node;
  if (tag !== undefined && tag !== '!' && !TAGS.has(tag)) {
    throw new YamlProblem(node, `tag \`${tag}\` is not supported`);
  }
}

function isPlain(node: Scalar): boolean {
  return node.type === 'PLAIN' && node.tag === undefined;
}

function readScalar(node: Scalar): JsonValue {
  const { value } = node;
  if (isPlain(node)) checkPlain(node);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new YamlProblem(node, 'the text holds a lone surrogate');
    return value;
  }
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return readNumber(node, value);
  throw new YamlProblem(node, 'not a value that JSON knows');
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function readNumber(node: Scalar, value: number): JsonValue {
  const source = node.source ?? String(value);
  const plain = /^0[xo]/.test(source) ? String(BigInt(source)) : withoutExtras(source);
  // JSON has no other way to write zero that survives being written again.
  if (value === 0) return 0;
  if (JSON_NUMBER.test(plain)) return exactNumber(plain);
  throw new YamlProblem(node, `\`${source}\` is not a number that JSON knows`);
}

/** `+12`, `.5` and `12.` in the form of JSON. */
function withoutExtras(source: string): string {
  return source
    .replace(/^([+-]?)\./, '$10.')
    .replace(/^\+/, '')
    .replace(/\.(?=$|[eE])/, '');
}

const WORD_OF_1_1 = /^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/;
const OCTAL_OF_1_1 = /^[-+]?0\d+$/;
const NUMBER_OF_1_1 = /^[-+]?(?:0b[01_]+|0x[\da-fA-F_]*_[\da-fA-F_]*|\d[\d_]*_[\d_]*(?:\.[\d_]*)?)$/;

/** Plain scalars that kubectl and YAML 1.2 readers understand differently. */
function checkPlain(node: Scalar): void {
  const source = node.source ?? '';
  const shown = `\`${source.slice(0, 64)}\``;
  if (WORD_OF_1_1.test(source)) {
    throw new YamlProblem(
      node,
      `${shown} is a boolean to some readers of YAML and a text to others: quote it, or write \`true\` or \`false\``,
    );
  }
  if (OCTAL_OF_1_1.test(source)) {
    throw new YamlProblem(
      node,
      `${shown} is an octal number to some readers of YAML: quote it, or drop the leading zero`,
    );
  }
  if (NUMBER_OF_1_1.test(source)) {
    throw new YamlProblem(
      node,
      `${shown} is a number to some readers of YAML and a text to others: quote it, or write plain digits`,
    );
  }
}
