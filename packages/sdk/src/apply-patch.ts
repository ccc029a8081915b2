import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonValue } from './json-value.ts';

/** Containers of a document that is being patched. */
type Container = unknown[] | Record<string, unknown>;

/** RFC 6902 on a copy. Throws `Error` for a patch that does not apply, with the operation's number. */
export function applyPatch(document: JsonValue, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch)) throw new Error('the patch is not a list of operations');
  const root = { document: structuredClone(document) as unknown };
  for (const [index, operation] of (patch as readonly JsonValue[]).entries()) {
    try {
      applyOperation(root, operation);
    } catch (error) {
      throw new Error(`operation ${index}: ${(error as Error).message}`, { cause: error });
    }
  }
  return root.document as JsonValue;
}

function applyOperation(root: Record<string, unknown>, operation: JsonValue): void {
  if (!isJsonObject(operation)) throw new Error('not an object');
  const { op, value } = operation;
  const path = parsePointer(operation['path']);
  switch (op) {
    case 'add':
      return add(root, path, required(value));
    case 'replace':
      read(root, path);
      return put(root, path, required(value));
    case 'remove':
      return remove(root, path);
    case 'test':
      if (!isDeepStrictEqual(read(root, path), required(value))) throw new Error('the test fails');
      return undefined;
    case 'copy':
      return add(root, path, structuredClone(read(root, parsePointer(operation['from']))));
    case 'move': {
      const from = parsePointer(operation['from']);
      if (path.length > from.length && from.every((key, depth) => key === path[depth])) {
        throw new Error('cannot move a value into itself');
      }
      const moved = read(root, from);
      remove(root, from);
      return add(root, path, moved);
    }
    default:
      throw new Error(`unknown operation ${JSON.stringify(op)}`);
  }
}

function required(value: JsonValue | undefined): unknown {
  if (value === undefined) throw new Error('no `value`');
  return structuredClone(value);
}

/** RFC 6901, as keys below a holder of the document. */
function parsePointer(pointer: JsonValue | undefined): readonly string[] {
  if (typeof pointer !== 'string') throw new Error('no pointer');
  if (pointer !== '' && !pointer.startsWith('/')) throw new Error(`\`${pointer}\` is not a pointer`);
  const keys = pointer.split('/').slice(1);
  return ['document', ...keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

function parentOf(root: Container, path: readonly string[]): readonly [Container, string] {
  const parent = path.length === 1 ? root : read(root, path.slice(0, -1));
  if (typeof parent !== 'object' || parent === null) throw new Error('the parent holds no members');
  return [parent as Container, path.at(-1) ?? ''];
}

function read(root: Container, path: readonly string[]): unknown {
  const [parent, key] = parentOf(root, path);
  if (Array.isArray(parent)) return parent[indexOf(key, parent.length - 1)];
  if (!Object.hasOwn(parent, key)) throw new Error(`nothing at \`${key}\``);
  return parent[key];
}

function add(root: Container, path: readonly string[], value: unknown): void {
  const [parent, key] = parentOf(root, path);
  if (Array.isArray(parent)) {
    parent.splice(key === '-' ? parent.length : indexOf(key, parent.length), 0, value);
  } else define(parent, key, value);
}

function put(root: Container, path: readonly string[], value: unknown): void {
  const [parent, key] = parentOf(root, path);
  if (Array.isArray(parent)) parent[indexOf(key, parent.length - 1)] = value;
  else define(parent, key, value);
}

function remove(root: Container, path: readonly string[]): void {
  read(root, path);
  const [parent, key] = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

/** `__proto__` is a key like any other. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function indexOf(key: string, last: number): number {
  if (!/^(?:0|[1-9]\d*)$/.test(key) || Number(key) > last) throw new Error(`no item \`${key}\``);
  return Number(key);
}
