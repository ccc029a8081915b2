import { sortedEntries } from '../values/compare-values.ts';
import {
  isArray,
  isObject,
  isRegoNumber,
  numberText,
  type RegoArray,
  type RegoObject,
  type RegoValue,
} from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { charged, type Charge } from './charge.ts';
import { fail, object, text } from './operands.ts';

/**
 * Go's templates, of which this is a part: values (`.`, `.a.b`, `$`, `$name`), `if`, `else`, `with`, `range`, comments and trimmed
 * white space. Functions, pipes and whole objects as text make the call undefined, never a text that differs from Go's.
 */
export const TEMPLATES: Readonly<Record<string, Builtin>> = {
  'strings.render_template': (args, { charge }) => {
    const template = text(args, 0);
    charged(charge, template.length * 8);
    const nodes = parseTemplate(template, charge);
    const root = object(args, 1);
    const output: string[] = [];
    const scope = { root, dot: root, names: new Map<string, RegoValue>(), indexes: new Set<string>() };
    render(nodes, scope, { output, charge });
    return output.join('').replaceAll('<no value>', '<undefined>');
  },
};

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly path: string }
  | Block;

interface Block {
  readonly kind: 'if' | 'with' | 'range';
  readonly path: string;
  /** Names that `range` gives to key and value. */
  readonly names: readonly string[];
  readonly body: Node[];
  readonly other: Node[];
}

const ACTION = /\{\{(-\s)?\s*(\/\*[^]*?\*\/|[^{}]*?)\s*(\s-)?\}\}/y;
const PATH = /^(?:\.|(?:\$\w*)?(?:\.[A-Za-z_]\w*)+|\$\w*)$/;
const BLOCK = /^(if|with|range)\s+(?:(\$\w+)\s*(?:,\s*(\$\w+)\s*)?:=\s*)?(\S+)$/;
const MAX_DEPTH = 100;

function parseTemplate(template: string, charge: Charge): readonly Node[] {
  const root: Node[] = [];
  const open: { readonly block: Block; list: Node[] }[] = [];
  const list = (): Node[] => open.at(-1)?.list ?? root;
  let at = 0;
  let isTrimmed = false;
  while (at < template.length) {
    const start = template.indexOf('{{', at);
    const plain = template.slice(at, start < 0 ? undefined : start);
    ACTION.lastIndex = start;
    const found =
      start < 0 ? undefined : (ACTION.exec(template) ?? fail('a template action that is not understood'));
    const trimmed = isTrimmed ? plain.trimStart() : plain;
    list().push({ kind: 'text', text: found?.[1] === undefined ? trimmed : trimmed.trimEnd() });
    if (found === undefined) break;
    charge(20);
    isTrimmed = found[3] !== undefined;
    at = ACTION.lastIndex;
    parseAction(found[2] ?? '', open, list());
  }
  return open.length === 0 ? root : fail('a template block without an end');
}

function parseAction(action: string, open: { readonly block: Block; list: Node[] }[], list: Node[]): void {
  if (action.startsWith('/*')) return;
  const current = open.at(-1);
  if (action === 'end') {
    if (open.pop() === undefined) fail('a template `end` without a block');
    return;
  }
  if (action === 'else') {
    if (current === undefined || current.list === current.block.other)
      return fail('a template `else` without a block');
    current.list = current.block.other;
    return;
  }
  const found = BLOCK.exec(action);
  if (found === null) {
    list.push({ kind: 'value', path: pathOf(action) });
    return;
  }
  const names = [found[2], found[3]].filter((name) => name !== undefined);
  const kind = found[1] as Block['kind'];
  if (names.length > 0 && kind !== 'range') fail('a variable is only understood in `range`');
  const block: Block = { kind, path: pathOf(found[4] ?? ''), names, body: [], other: [] };
  list.push(block);
  open.push({ block, list: block.body });
  if (open.length > MAX_DEPTH) fail('template blocks are nested too deeply');
}

function pathOf(text_: string): string {
  return PATH.test(text_) ? text_ : fail(`a template action that is not understood: ${text_}`);
}

interface Scope {
  readonly root: RegoObject;
  readonly dot: RegoValue;
  readonly names: ReadonlyMap<string, RegoValue>;
  /** Names of places in arrays, of which, unlike of numbers of the policy, 0 is not true. */
  readonly indexes: ReadonlySet<string>;
}

interface Target {
  readonly output: string[];
  readonly charge: Charge;
}

function render(nodes: readonly Node[], scope: Scope, target: Target): void {
  for (const node of nodes) {
    if (node.kind === 'text' || node.kind === 'value') {
      const written = node.kind === 'text' ? node.text : shown(lookUp(node.path, scope));
      charged(target.charge, 64 + written.length * 4);
      target.output.push(written);
    } else renderBlock(node, scope, target);
  }
}

function renderBlock({ kind, path, names, body, other }: Block, scope: Scope, target: Target): void {
  const value = lookUp(path, scope);
  target.charge(5);
  const isSomething = scope.indexes.has(path) ? value !== 0 : isTrue(value);
  if (!isSomething) return render(other, scope, target);
  if (kind === 'if') return render(body, scope, target);
  if (kind === 'with') return render(body, { ...scope, dot: value ?? null }, target);
  const others = [...scope.indexes].filter((name) => !names.includes(name));
  const isIndexed = names.length === 2 && value !== undefined && isArray(value);
  const indexes = new Set(isIndexed ? [...others, ...names.slice(0, 1)] : others);
  for (const [key, item] of entriesOf(value)) {
    target.charge(10);
    const given = names.length === 2 ? [key, item] : [item];
    const inner = new Map([
      ...scope.names,
      ...names.map((name, index) => [name, given[index] ?? null] as const),
    ]);
    render(body, { ...scope, dot: item, names: inner, indexes }, target);
  }
}

function entriesOf(value: RegoValue | undefined): readonly (readonly [RegoValue, RegoValue])[] {
  if (value !== undefined && isArray(value))
    return value.map((item: RegoArray[number], index) => [index, item] as const);
  return value !== undefined && isObject(value)
    ? sortedEntries(value)
    : fail('range cannot iterate over this');
}

function lookUp(path: string, { root, dot, names }: Scope): RegoValue | undefined {
  const [head = '', ...fields] = path.split('.');
  const named =
    head === '$' ? root : (names.get(head) ?? (head === '' ? dot : fail(`undefined variable ${head}`)));
  let value: RegoValue | undefined = named;
  for (const field of fields.filter((name) => name !== '')) {
    if (value === undefined) return undefined;
    if (value === null) return fail('a field of nothing');
    value = isObject(value) ? value.get(field) : fail(`cannot evaluate field ${field}`);
  }
  return value;
}

/** Not empty, as Go's `if` has it. */
function isTrue(value: RegoValue | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (value === true || typeof value === 'string') return true;
  // OPA hands numbers over as their digits, which are never empty: 0 is true.
  if (isRegoNumber(value)) return true;
  if (isArray(value)) return value.length > 0;
  return isObject(value) ? value.size > 0 : fail('a set is not understood');
}

function shown(value: RegoValue | undefined): string {
  if (value === undefined || value === null) return '<no value>';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return isRegoNumber(value) ? numberText(value) : fail('only simple values are written by templates');
}
