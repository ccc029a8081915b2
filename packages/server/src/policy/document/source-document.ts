import type { JsonValue } from '@portcullis/contract';
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { Fault, isFault } from '../../kernel/fault.ts';
import { keyOf, readYamlMembers, readYamlValue, YamlProblem } from './read-yaml-value.ts';

export type DocumentPath = readonly PropertyKey[];

/** 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One YAML or JSON document of a file: its value, and where each part of it stands. */
export interface SourceDocument {
  /** 1-based line of its first node. */
  readonly line: number;
  /** PC_POLICY_SYNTAX when it is not well-formed or means different things to different readers. */
  readonly value: JsonValue | Fault;
  /** Each member of the mapping that the document is; undefined when it is none, or not well-formed. */
  members(): readonly (readonly [string, JsonValue | Fault])[] | undefined;
  /** Of the key (or list element) at the path; of the nearest one above it when that has none. */
  positionOf(path: DocumentPath): Position;
  /** The scalar at the path as text, even when another part of the document is broken. */
  textAt(path: DocumentPath): string | undefined;
}

/** Whether a key as it is written is the one that a path names. */
export type IsSameKey = (written: string, named: PropertyKey | undefined) => boolean;

const isEqualKey: IsSameKey = (written, named) => written === named;

/** The documents of a file; empty ones are left out. Never throws. `location` names the file in messages. */
export function readSourceDocuments(
  text: string,
  location: string,
  isSameKey: IsSameKey = isEqualKey,
): readonly SourceDocument[] {
  const lines = new LineCounter();
  const documents = parse(text, lines);
  if (isFault(documents)) return [brokenDocument(`${location}: ${documents.message}`)];
  return documents
    .filter((document) => document.errors.length > 0 || !isEmpty(document))
    .map((document) => sourceDocument(document, { lines, location, isSameKey }));
}

function parse(text: string, lines: LineCounter): readonly Document[] | Fault {
  try {
    // Keys that stand twice are looked for when the value is read: faster on long mappings, and with a name.
    return parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    });
  } catch (error) {
    return new Fault('PC_POLICY_SYNTAX', 'nested too deeply', { cause: error });
  }
}

function isEmpty({ contents }: Document): boolean {
  return (
    contents === null || (isScalar(contents) && contents.value === null && (contents.source ?? '') === '')
  );
}

interface SourceContext {
  readonly lines: LineCounter;
  readonly location: string;
  readonly isSameKey: IsSameKey;
}

function sourceDocument(document: Document, { lines, location, isSameKey }: SourceContext): SourceDocument {
  const root = document.contents;
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const broken = (offset: number, problem: string): Fault => {
    const { line, column } = at(offset);
    return new Fault('PC_POLICY_SYNTAX', `${location}:${line}:${column}: ${problem}`, {
      data: { line, column },
    });
  };

  function read(): JsonValue | Fault {
    const [error] = document.errors;
    if (error !== undefined) return broken(error.pos[0], describeError(error.message));
    try {
      return readYamlValue(root);
    } catch (problem) {
      if (problem instanceof YamlProblem) return broken(problem.offset, problem.message);
      throw problem;
    }
  }

  return {
    line: at(root?.range?.[0] ?? document.range?.[0] ?? 0).line,
    value: read(),
    members() {
      if (document.errors.length > 0 || !isMap(root)) return undefined;
      return readYamlMembers(root).map(([name, value]) => [
        name,
        value instanceof YamlProblem ? broken(value.offset, value.message) : value,
      ]);
    },
    positionOf: (path) => at(offsetOf(root, path, isSameKey)),
    textAt(path) {
      const node = nodeAt(root, path, isSameKey);
      return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
    },
  };
}

function brokenDocument(problem: string): SourceDocument {
  return {
    line: 1,
    value: new Fault('PC_POLICY_SYNTAX', problem),
    members: () => undefined,
    positionOf: () => ({ line: 1, column: 1 }),
    textAt: () => undefined,
  };
}

/** The library's texts, in the form of ours: one line, lower case. */
function describeError(message: string): string {
  const [line = ''] = message.split('\n');
  // The library recurses and tells how that ended.
  if (line.includes('call stack')) return 'nested too deeply';
  return `not well-formed: ${line.charAt(0).toLowerCase()}${line.slice(1)}`;
}

function offsetOf(root: Node | null, path: DocumentPath, isSameKey: IsSameKey): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = nodeAt(root, path.slice(0, length - 1), isSameKey);
    const last = path[length - 1];
    const node = isMap(parent) ? pairOf(parent, last, isSameKey)?.key : itemOf(parent, last);
    if (isNode(node) && node.range != null) return node.range[0];
  }
  return root?.range?.[0] ?? 0;
}

function nodeAt(root: Node | null, path: DocumentPath, isSameKey: IsSameKey): unknown {
  let node: unknown = root;
  for (const part of path) {
    node = isMap(node) ? pairOf(node, part, isSameKey)?.value : itemOf(node, part);
  }
  return node;
}

function pairOf(map: YAMLMap, part: PropertyKey | undefined, isSameKey: IsSameKey): Pair | undefined {
  return map.items.find((pair) => {
    const key = keyOf(pair.key);
    return key !== undefined && isSameKey(key, part);
  });
}

function itemOf(list: unknown, part: PropertyKey | undefined): unknown {
  return isSeq(list) && typeof part === 'number' ? list.items[part] : undefined;
}
