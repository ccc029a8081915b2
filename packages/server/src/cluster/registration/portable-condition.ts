import { celEnvironment } from '../../policy/cel/cel-environment.ts';

type Type = 'string' | 'bool' | 'int' | 'null' | 'strings' | 'dyn';

interface Printed {
  readonly text: string;
  readonly type: Type;
}

/** A node of the library's syntax tree; `args` differ from operator to operator. */
interface Node {
  readonly op: string;
  readonly args: unknown;
}

type Scope = ReadonlyMap<string, Type>;

const ROOTS: Scope = new Map([
  ['object', 'dyn'],
  ['oldObject', 'dyn'],
]);

/** Fields of `request` as an API server declares them (apiserver: pkg/admission/plugin/cel/compile.go), by their paths. */
const REQUEST_FIELDS: ReadonlyMap<string, Type> = new Map([
  ...['kind', 'requestKind'].flatMap((of) =>
    ['group', 'version', 'kind'].map((field) => [`request.${of}.${field}`, 'string'] as const),
  ),
  // `resource` is what the client used there, and what the object was converted to here.
  ...['group', 'version', 'resource'].map((field) => [`request.requestResource.${field}`, 'string'] as const),
  ...['subResource', 'requestSubResource', 'name', 'namespace', 'operation'].map(
    (field) => [`request.${field}`, 'string'] as const,
  ),
  ['request.userInfo.username', 'string'],
  ['request.userInfo.uid', 'string'],
  ['request.userInfo.groups', 'strings'],
  ['request.dryRun', 'bool'],
  ['request.options', 'dyn'],
]);

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);
const BINARY = new Set([...COMPARISONS, '&&', '||', 'in', '[]']);
const TESTS = new Set(['startsWith', 'endsWith', 'contains']);
const LOOPS = new Set(['all', 'exists']);

/**
 * The condition written anew for an API server, when it uses only what means the same there and passes its type check, which
 * is stricter than ours; undefined otherwise. A small part of the language on purpose: what is refused stays with us.
 */
export function portableCondition(expression: string): string | undefined {
  let tree: Node;
  try {
    tree = celEnvironment().environment.parse(expression).ast;
  } catch {
    return undefined;
  }
  const printed = print(tree, ROOTS);
  return printed?.type === 'bool' ? printed.text : undefined;
}

function print(node: Node, scope: Scope): Printed | undefined {
  const { op, args } = node;
  if (op === 'value') return literal(args);
  if (op === 'id') {
    const type = scope.get(String(args));
    return type === undefined ? undefined : { text: String(args), type };
  }
  if (op === '!_') return not(print(args as Node, scope));
  const parts = args as readonly unknown[];
  if (op === '.') return select(node, scope);
  if (op === 'list') return list((args as Node[]).map((item) => print(item, scope)));
  if (op === 'call') return call(String(parts[0]), parts[1] as readonly Node[], scope);
  if (op === 'rcall') return method(String(parts[0]), parts[1] as Node, parts[2] as readonly Node[], scope);
  if (op === '?:') return choice(args as Node[], scope);
  if (!BINARY.has(op)) return undefined;
  const [left, right] = (args as Node[]).map((operand) => print(operand, scope));
  return left === undefined || right === undefined ? undefined : binary(op, left, right);
}

function literal(value: unknown): Printed | undefined {
  if (value === null) return { text: 'null', type: 'null' };
  if (typeof value === 'boolean') return { text: String(value), type: 'bool' };
  if (typeof value === 'bigint') return { text: String(value), type: 'int' };
  // JSON's escapes are CEL's too.
  if (typeof value === 'string' && value.isWellFormed()) {
    return { text: JSON.stringify(value), type: 'string' };
  }
  return undefined;
}

function select(node: Node, scope: Scope): Printed | undefined {
  const path = pathOf(node);
  if (path === undefined) return undefined;
  const type = REQUEST_FIELDS.get(path);
  if (type !== undefined) return { text: path, type };
  const [target, field] = node.args as [Node, string];
  const of = print(target, scope);
  return of?.type === 'dyn' ? { text: `${of.text}.${field}`, type: 'dyn' } : undefined;
}

/** `request.userInfo.username`; undefined for a name that is a word of the language, or for no plain path. */
function pathOf({ op, args }: Node): string | undefined {
  if (op === 'id') return String(args);
  if (op !== '.') return '';
  const [target, field] = args as [Node, string];
  if (!/^[A-Za-z_]\w*$/.test(field) || ['true', 'false', 'null', 'in'].includes(field)) return undefined;
  const path = pathOf(target);
  return path === undefined ? undefined : `${path}.${field}`;
}

function not(operand: Printed | undefined): Printed | undefined {
  return operand !== undefined && isOr(operand, 'bool')
    ? { text: `!(${operand.text})`, type: 'bool' }
    : undefined;
}

function list(items: readonly (Printed | undefined)[]): Printed | undefined {
  if (items.length === 0 || !items.every((item) => item?.type === 'string')) return undefined;
  return { text: `[${items.map((item) => item?.text).join(', ')}]`, type: 'strings' };
}

function call(name: string, args: readonly Node[], scope: Scope): Printed | undefined {
  const [node] = args;
  if (node === undefined || args.length !== 1) return undefined;
  const argument = print(node, scope);
  if (argument === undefined) return undefined;
  if (name === 'has') return node.op === '.' ? { text: `has(${argument.text})`, type: 'bool' } : undefined;
  return name === 'size' ? size(argument) : undefined;
}

function size(of: Printed): Printed | undefined {
  return ['string', 'strings', 'dyn'].includes(of.type)
    ? { text: `size(${of.text})`, type: 'int' }
    : undefined;
}

function method(name: string, target: Node, args: readonly Node[], scope: Scope): Printed | undefined {
  const of = print(target, scope);
  if (of === undefined) return undefined;
  if (name === 'size' && args.length === 0) return size(of);
  if (LOOPS.has(name)) return loop(name, of, args, scope);
  const argument = args.length === 1 && args[0] !== undefined ? print(args[0], scope) : undefined;
  if (!TESTS.has(name) || argument === undefined || !isOr(of, 'string') || !isOr(argument, 'string')) {
    return undefined;
  }
  return { text: `${of.text}.${name}(${argument.text})`, type: 'bool' };
}

function loop(name: string, of: Printed, args: readonly Node[], scope: Scope): Printed | undefined {
  const [variable, body] = args;
  if (variable?.op !== 'id' || body === undefined || args.length !== 2) return undefined;
  const item = String(variable.args);
  // One letter and more letters or digits; words of the language are longer than two letters or named here.
  if (!/^[a-z][a-z0-9]?$/.test(item) || ['as', 'if', 'in'].includes(item)) return undefined;
  if (of.type !== 'dyn' && of.type !== 'strings') return undefined;
  const inner = print(body, new Map([...scope, [item, of.type === 'strings' ? 'string' : 'dyn']]));
  if (inner === undefined || !isOr(inner, 'bool')) return undefined;
  return { text: `${of.text}.${name}(${item}, ${inner.text})`, type: 'bool' };
}

function choice(nodes: readonly Node[], scope: Scope): Printed | undefined {
  const [test, yes, no] = nodes.map((node) => print(node, scope));
  if (test === undefined || !isOr(test, 'bool') || yes?.type !== 'bool' || no?.type !== 'bool') {
    return undefined;
  }
  return { text: `((${test.text}) ? (${yes.text}) : (${no.text}))`, type: 'bool' };
}

function binary(op: string, left: Printed, right: Printed): Printed | undefined {
  if (op === '[]') return index(left, right);
  if (!isLegal(op, left, right)) return undefined;
  return { text: `(${left.text} ${op} ${right.text})`, type: 'bool' };
}

function isLegal(op: string, left: Printed, right: Printed): boolean {
  if (op === '&&' || op === '||') return isOr(left, 'bool') && isOr(right, 'bool');
  if (op === 'in') return right.type === 'dyn' || (right.type === 'strings' && isOr(left, 'string'));
  if (!COMPARISONS.has(op)) return false;
  const isOrdered = op !== '==' && op !== '!=';
  const types: readonly Type[] = isOrdered
    ? ['string', 'int', 'dyn']
    : ['string', 'int', 'bool', 'null', 'dyn'];
  return (
    types.includes(left.type) &&
    types.includes(right.type) &&
    (left.type === right.type || left.type === 'dyn' || right.type === 'dyn')
  );
}

function index(of: Printed, key: Printed): Printed | undefined {
  if (of.type === 'strings' && key.type === 'int') return { text: `${of.text}[${key.text}]`, type: 'string' };
  const isKey = key.type === 'string' || key.type === 'int';
  return of.type === 'dyn' && isKey ? { text: `${of.text}[${key.text}]`, type: 'dyn' } : undefined;
}

function isOr({ type }: Printed, wanted: Type): boolean {
  return type === wanted || type === 'dyn';
}
