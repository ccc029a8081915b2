import type { JsonPatch, JsonPatchOperation, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../fault.ts';
import { parsePointer } from './json-pointer.ts';

export const MAX_OPERATIONS = 10_000;

/** `value` is parsed JSON from anywhere. Strict RFC 6902; members that an operation does not have are ignored, as it says. */
export function parseJsonPatch(value: unknown): JsonPatch | Fault {
  if (!Array.isArray(value)) return new Fault('PC_PATCH_INVALID', 'a patch must be an array of operations');
  if (value.length > MAX_OPERATIONS) {
    return new Fault('PC_PATCH_LIMIT', `${value.length} operations are more than ${MAX_OPERATIONS}`);
  }
  const patch: JsonPatchOperation[] = [];
  for (let index = 0; index < value.length; index++) {
    const operation = parseOperation(value[index], index);
    if (isFault(operation)) return operation;
    patch.push(operation);
  }
  return patch;
}

function parseOperation(value: unknown, index: number): JsonPatchOperation | Fault {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return invalid(index, 'must be an object');
  }
  const op = own(value, 'op');
  const path = own(value, 'path');
  if (typeof op !== 'string' || !Object.hasOwn(OPERATIONS, op)) {
    return invalid(index, 'needs `op`: add, remove, replace, move, copy or test');
  }
  if (typeof path !== 'string') return invalid(index, 'needs a string `path`');
  if (parsePointer(path) === undefined) return invalid(index, 'has a `path` that is not a JSON pointer');
  const known = op as JsonPatchOperation['op'];
  switch (known) {
    case 'remove':
      return { op: known, path };
    case 'move':
    case 'copy':
      return parseTransfer(known, path, own(value, 'from'), index);
    default: {
      const operand = own(value, 'value') as JsonValue | undefined;
      return operand === undefined ? invalid(index, 'needs a `value`') : { op: known, path, value: operand };
    }
  }
}

const OPERATIONS: Readonly<Record<JsonPatchOperation['op'], true>> = {
  add: true,
  remove: true,
  replace: true,
  move: true,
  copy: true,
  test: true,
};

function parseTransfer(
  op: 'move' | 'copy',
  path: string,
  from: unknown,
  index: number,
): JsonPatchOperation | Fault {
  if (typeof from !== 'string') return invalid(index, 'needs a string `from`');
  if (parsePointer(from) === undefined) return invalid(index, 'has a `from` that is not a JSON pointer');
  if (op === 'move' && path.startsWith(`${from}/`)) return invalid(index, 'moves a value into itself');
  return { op, from, path };
}

/** Never what a prototype holds. */
function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function invalid(index: number, what: string): Fault {
  return new Fault('PC_PATCH_INVALID', `operation ${index} ${what}`, { data: { operation: index } });
}
