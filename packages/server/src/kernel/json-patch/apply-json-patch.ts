import type { JsonPatch, JsonPatchOperation, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../fault.ts';
import { jsonEqual } from '../json/json-equal.ts';
import { copyJson, type CopyBudget, isWithinDepth } from './copy-json.ts';
import { childOf, isContainer, JsonDraft, setMember } from './json-draft.ts';
import { parseIndex, parsePointer } from './json-pointer.ts';
import { MAX_OPERATIONS } from './parse-json-patch.ts';

/** Bytes that all copies of one patch may make together: the limit of the Kubernetes API server. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;
/** Elements copied or shifted: bounds the time of operations on long arrays. */
const MAX_WORK = 20_000_000;
export const MAX_PATCHED_DEPTH = 1000;

/**
 * Strict RFC 6902. The document and the patch are never changed; what no operation touched is shared with the result. Faults
 * name the operation by its index.
 */
export function applyJsonPatch(document: JsonValue, patch: JsonPatch): JsonValue | Fault {
  if (patch.length > MAX_OPERATIONS)
    return limit(`${patch.length} operations are more than ${MAX_OPERATIONS}`);
  const run: Run = { draft: new JsonDraft(document), copies: { bytes: MAX_COPIED_BYTES } };
  for (const [index, operation] of patch.entries()) {
    const problem = applyOperation(run, operation);
    if (problem !== undefined) return refuse(problem, operation, index);
    if (run.draft.work > MAX_WORK) return limit('the operations move too many elements');
  }
  if (patch.length > 0 && !isWithinDepth(run.draft.root, MAX_PATCHED_DEPTH)) {
    return limit(`the result has more than ${MAX_PATCHED_DEPTH} levels of nesting`);
  }
  return run.draft.root;
}

interface Run {
  readonly draft: JsonDraft;
  readonly copies: CopyBudget;
}

/** What is wrong with an operation, to follow its path; or a limit that it reached. */
type Problem = string | Fault;

function applyOperation(run: Run, operation: JsonPatchOperation): Problem | undefined {
  const path = parsePointer(operation.path);
  if (path === undefined) return 'is not a JSON pointer';
  switch (operation.op) {
    case 'add':
      return insert(run, path, operation.value);
    case 'replace':
      return replace(run, path, operation.value);
    case 'remove':
      return remove(run, path);
    case 'test':
      return test(run, path, operation.value);
    default:
      return transfer(run, operation, path);
  }
}

function transfer(
  run: Run,
  operation: Extract<JsonPatchOperation, { from: string }>,
  path: readonly string[],
): Problem | undefined {
  const from = parsePointer(operation.from);
  if (from === undefined) return 'has a `from` that is not a JSON pointer';
  const found = lookUp(run.draft.root, from);
  if (found === undefined) return `has a \`from\` that does not exist: \`${shown(operation.from)}\``;
  if (operation.op === 'copy') {
    const copy = copyJson(found, run.copies, MAX_PATCHED_DEPTH);
    return isFault(copy) ? copy : insert(run, path, copy);
  }
  if (operation.path === operation.from) return undefined;
  if (operation.path.startsWith(`${operation.from}/`)) return 'lies inside the value that is moved';
  return remove(run, from) ?? insert(run, path, found);
}

const MISSING = 'does not exist';
const NO_PARENT = 'has no parent that could hold it';

function test(run: Run, path: readonly string[], value: JsonValue): Problem | undefined {
  const found = lookUp(run.draft.root, path);
  if (found === undefined) return MISSING;
  return jsonEqual(found, value) ? undefined : 'does not have the tested value';
}

function lookUp(root: JsonValue, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const token of path) {
    if (!isContainer(value)) return undefined;
    value = childOf(value, token);
  }
  return value;
}

function insert(run: Run, path: readonly string[], value: JsonValue): Problem | undefined {
  const token = path.at(-1);
  if (token === undefined) {
    run.draft.root = value;
    return undefined;
  }
  const parent = run.draft.writable(path.slice(0, -1));
  if (parent === undefined) return NO_PARENT;
  if (!Array.isArray(parent)) {
    setMember(parent, token, value);
    return undefined;
  }
  const index = token === '-' ? parent.length : parseIndex(token);
  if (index === undefined) return 'is not an index of an array';
  if (index > parent.length) return 'is beyond the end of the array';
  run.draft.work += parent.length - index;
  parent.splice(index, 0, value);
  return undefined;
}

function replace(run: Run, path: readonly string[], value: JsonValue): Problem | undefined {
  const token = path.at(-1);
  if (token === undefined) {
    run.draft.root = value;
    return undefined;
  }
  const parent = run.draft.writable(path.slice(0, -1));
  if (parent === undefined || childOf(parent, token) === undefined) return MISSING;
  setMember(parent, token, value);
  return undefined;
}

function remove(run: Run, path: readonly string[]): Problem | undefined {
  const token = path.at(-1);
  if (token === undefined) return 'is the whole document, which cannot be removed';
  const parent = run.draft.writable(path.slice(0, -1));
  if (parent === undefined || childOf(parent, token) === undefined) return MISSING;
  if (Array.isArray(parent)) {
    run.draft.work += parent.length;
    parent.splice(Number(token), 1);
  } else {
    delete parent[token];
  }
  return undefined;
}

function refuse(problem: Problem, { op, path }: JsonPatchOperation, index: number): Fault {
  if (isFault(problem)) return problem;
  return new Fault('PC_PATCH_APPLY', `operation ${index}: ${op} \`${shown(path)}\`: the path ${problem}`, {
    data: { operation: index, path },
  });
}

function limit(message: string): Fault {
  return new Fault('PC_PATCH_LIMIT', message);
}

function shown(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}
