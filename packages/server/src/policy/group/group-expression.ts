import { parse } from '@marcbachmann/cel-js';
import { Fault, isFault } from '../../kernel/fault.ts';
import { nearestWord } from '../../kernel/nearest-word.ts';

/** A member's answer: whether it allows, or why it cannot tell. */
export type MemberAnswer = boolean | Fault;

/** The boolean expression of a group, ready to be asked. */
export interface GroupExpression {
  /**
   * Members are asked one after another, and only as far as the result depends on them. A member that cannot answer leaves
   * the result open unless the others settle it: `false && fault` is false, `true && fault` is that fault.
   */
  evaluate(ask: (member: string) => Promise<MemberAnswer>): Promise<MemberAnswer>;
}

type Term =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'not'; readonly term: Term }
  /** Over when a side has this value: false for `&&`, true for `||`. */
  | { readonly kind: 'both' | 'either'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'choice'; readonly question: Term; readonly yes: Term; readonly no: Term };

interface CelNode {
  readonly op: string;
  readonly args: unknown;
  readonly pos: number;
}

/** PC_POLICY_CONDITION, with the column, for anything but `&&`, `||`, `!`, `?:`, parentheses and calls of members. */
export function compileGroupExpression(text: string, members: readonly string[]): GroupExpression | Fault {
  const read = readExpression(text, members);
  if (isFault(read)) return read;
  const { term, asked } = read;
  const idle = members.find((member) => !asked.has(member));
  if (idle !== undefined) {
    return new Fault(
      'PC_POLICY_CONDITION',
      `the expression never asks \`${idle}\`: call it, or remove the member`,
    );
  }
  return { evaluate: (ask) => evaluate(term, ask) };
}

/** The members that an expression calls at all; a fault as of {@link compileGroupExpression}. */
export function membersAsked(text: string, members: readonly string[]): ReadonlySet<string> | Fault {
  const read = readExpression(text, members);
  return isFault(read) ? read : read.asked;
}

interface ReadExpression {
  readonly term: Term;
  readonly asked: ReadonlySet<string>;
}

function readExpression(text: string, members: readonly string[]): ReadExpression | Fault {
  let ast: CelNode;
  try {
    ast = parse(text).ast;
  } catch (error) {
    const [reason = 'is no expression'] = (error as Error).message.split('\n');
    return new Fault('PC_POLICY_CONDITION', `the expression of the group is no CEL: ${reason}`);
  }
  const asked = new Set<string>();
  const term = toTerm(ast, { names: members, asked });
  return isFault(term) ? term : { term, asked };
}

type Read = (node: CelNode, members: Members) => Term | Fault;

interface Members {
  readonly names: readonly string[];
  /** Those that the expression calls. */
  readonly asked: Set<string>;
}

/** By the operator of a node; everything else is not understood. */
const READERS: Readonly<Record<string, Read>> = {
  value: (node) =>
    typeof node.args === 'boolean' ? { kind: 'constant', value: node.args } : refuse(node, UNDERSTOOD),
  call: readCall,
  id: (node, { names }) => {
    const name = String(node.args);
    const hint = names.includes(name) ? `: write \`${name}()\`` : '';
    return refuse(node, `\`${name}\` is no call of a member${hint}`);
  },
  '!_': (node, members) => {
    const term = toTerm(node.args as CelNode, members);
    return isFault(term) ? term : { kind: 'not', term };
  },
  '&&': (node, members) => readOperands(node, members, ([left, right]) => ({ kind: 'both', left, right })),
  '||': (node, members) => readOperands(node, members, ([left, right]) => ({ kind: 'either', left, right })),
  '?:': (node, members) =>
    readOperands(node, members, ([question, yes, no]) => ({ kind: 'choice', question, yes, no })),
};
const UNDERSTOOD = 'only calls of members, `&&`, `||`, `!`, `? :` and parentheses are understood';

function toTerm(node: CelNode, members: Members): Term | Fault {
  const read = Object.hasOwn(READERS, node.op) ? READERS[node.op] : undefined;
  return read === undefined ? refuse(node, UNDERSTOOD) : read(node, members);
}

function readOperands(
  node: CelNode,
  members: Members,
  build: (operands: readonly [Term, Term, Term]) => Term,
): Term | Fault {
  const operands: Term[] = [];
  for (const operand of node.args as readonly CelNode[]) {
    const term = toTerm(operand, members);
    if (isFault(term)) return term;
    operands.push(term);
  }
  return build(operands as unknown as readonly [Term, Term, Term]);
}

/** `member("any-name")` calls members whose names are no words of CEL. */
const ANY_NAME = 'member';

function textIn([only, ...others]: readonly CelNode[]): string | undefined {
  return others.length === 0 && only?.op === 'value' && typeof only.args === 'string' ? only.args : undefined;
}

function readCall(node: CelNode, { names, asked }: Members): Term | Fault {
  const [called, given] = node.args as readonly [string, readonly CelNode[]];
  const quoted = called === ANY_NAME && !names.includes(ANY_NAME) ? textIn(given) : undefined;
  const name = quoted ?? called;
  if (quoted === undefined && given.length > 0) return refuse(node, `\`${name}()\` takes no arguments`);
  if (names.includes(name)) {
    asked.add(name);
    return { kind: 'member', name };
  }
  const near = nearestWord(name, names);
  const known = names.map((member) => `\`${member}\``).join(', ');
  const hint = near === undefined ? `known: ${known}` : `did you mean \`${near}\`?`;
  return refuse(node, `there is no member \`${name}\`, ${hint}`);
}

function refuse({ pos }: CelNode, text: string): Fault {
  return new Fault('PC_POLICY_CONDITION', `the expression of the group, column ${pos + 1}: ${text}`);
}

async function evaluate(term: Term, ask: (member: string) => Promise<MemberAnswer>): Promise<MemberAnswer> {
  switch (term.kind) {
    case 'constant':
      return term.value;
    case 'member':
      return ask(term.name);
    case 'not': {
      const answer = await evaluate(term.term, ask);
      return isFault(answer) ? answer : !answer;
    }
    case 'choice': {
      const question = await evaluate(term.question, ask);
      return isFault(question) ? question : evaluate(question ? term.yes : term.no, ask);
    }
    default: {
      const decisive = term.kind === 'either';
      const left = await evaluate(term.left, ask);
      if (left === decisive) return left;
      const right = await evaluate(term.right, ask);
      if (right === decisive) return right;
      return isFault(left) ? left : right;
    }
  }
}
