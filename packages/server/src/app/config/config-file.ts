import { dirname } from 'node:path';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { Fault } from '../../kernel/fault.ts';
import { settingsOf, type ConfigLayer } from './config-layer.ts';

/** Reads the text of `portcullis.yaml`. `file` is its absolute path; `shown` is how messages call it. */
export function parseConfigFile(text: string, file: string, shown: string): ConfigLayer | Fault {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    return new Fault('PC_CONFIG_SYNTAX', `${shown}:${line}: ${error.message.replaceAll('\n', ' ')}`);
  }
  const tree: unknown = document.toJS();
  if (tree === null || tree === undefined) return { settings: new Map() };
  if (typeof tree !== 'object' || Array.isArray(tree)) {
    return new Fault('PC_CONFIG_SYNTAX', `${shown}:1: the configuration must be a mapping of keys`);
  }
  const where = (path: readonly PropertyKey[]): string => `${shown}:${lineOf(document, lines, path)}`;
  return { settings: settingsOf(tree, dirname(file), where) };
}

/** Line of the key that a path names; of the nearest one above it when that has none. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const items = hasItems(parent) ? parent.items : [];
  const last = path.at(-1);
  const item = typeof last === 'number' ? items[last] : items.find((pair) => isPairOf(pair, last));
  const node = isPair(item) ? item.key : item;
  return isNode(node) ? node.range?.[0] : undefined;
}

function hasItems(node: unknown): node is { readonly items: readonly unknown[] } {
  return typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items);
}

function isPair(item: unknown): item is { readonly key: unknown } {
  return typeof item === 'object' && item !== null && 'key' in item;
}

function isPairOf(item: unknown, name: PropertyKey | undefined): boolean {
  if (!isPair(item) || !isNode(item.key)) return false;
  return String(item.key.toJSON()) === String(name);
}
