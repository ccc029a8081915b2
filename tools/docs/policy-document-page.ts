import { z } from 'zod';
import {
  exceptionDocumentSchema,
  groupDocumentSchema,
  policyDocumentSchema,
} from '../../packages/server/src/policy/document/policy-document-schema.ts';
import { code, generated, table } from './markdown.ts';

/** The part of JSON Schema that the documents' schemas use. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: string | number | boolean | object;
  readonly enum?: readonly unknown[];
  readonly const?: string;
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly required?: readonly string[];
}

/** What is the same in every kind is told once, with the policy. */
const TOLD = new Set(['metadata', 'spec.match', 'spec.members.<name>.module', 'spec.members.<name>.limits']);

const INTRO = `Every key of a document, in files, in the Kubernetes API and in the management API. How to use them: [policies](../policies.md),
[Kubernetes](../kubernetes.md). The kinds: [Policy](#policy), [PolicyGroup](#policygroup), [PolicyException](#policyexception), and
[those with a namespace](#namespacedpolicy-namespacedpolicygroup).`;

const NAMESPACED = `A Policy or a PolicyGroup with one key more, \`metadata.namespace\` (required): the only namespace whose objects it judges. Its name elsewhere is
\`<namespace>/<name>\`. A ConfigMap or Secret that holds its module is one of its own namespace.`;

const ANNOTATIONS = `In the Kubernetes API \`metadata\` has no \`version\` and \`description\`: there they are the annotations \`portcullis.dev/version\` and
\`portcullis.dev/description\`. \`spec.module.file\` is for documents that are files themselves.`;

export function policyDocumentPage(): string {
  return `${generated('Policy document', INTRO)}
## Policy

${tableOf(policyDocumentSchema, new Set())}

## PolicyGroup

Validating policies of which one expression makes one verdict. \`metadata\`, \`match\`, \`module\` and \`limits\` are those of a [Policy](#policy).

${tableOf(groupDocumentSchema, TOLD)}

## PolicyException

What some policies may not deny, and until when. \`metadata\` and \`match\` are those of a [Policy](#policy).

${tableOf(exceptionDocumentSchema, TOLD)}

## NamespacedPolicy, NamespacedPolicyGroup

${NAMESPACED}

## As objects of the Kubernetes API

${ANNOTATIONS}
`;
}

function tableOf(schema: z.ZodType, told: ReadonlySet<string>): string {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node;
  return table(['key', 'value', 'default', 'meaning'], rowsOf(root, '', told));
}

function rowsOf(node: Node, path: string, told: ReadonlySet<string>): readonly (readonly string[])[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const required = node.required?.includes(name) === true ? ' (required)' : '';
    return [
      [code(at), `${valueOf(member)}${required}`, fallback(member), member.description ?? ''],
      ...(told.has(at) ? [] : innerRows(member, at, told)),
    ];
  });
}

function innerRows(member: Node, at: string, told: ReadonlySet<string>): readonly (readonly string[])[] {
  const { items, additionalProperties } = member;
  if (items?.properties !== undefined) return rowsOf(items, `${at}[]`, told);
  if (typeof additionalProperties === 'object' && additionalProperties.properties !== undefined)
    return rowsOf(additionalProperties, `${at}.<name>`, told);
  return rowsOf(member, at, told);
}

function valueOf(node: Node): string {
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(', ');
  if (node.anyOf !== undefined) return node.anyOf.map(valueOf).join(', ');
  if (node.items !== undefined) return `list of ${valueOf(node.items)}`;
  return node.type === 'object' ? 'map' : (node.type ?? 'any');
}

function fallback(node: Node): string {
  const { default: value } = node;
  return value === undefined || typeof value === 'object' ? '' : code(String(value));
}
