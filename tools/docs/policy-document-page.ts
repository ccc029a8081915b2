import { z } from 'zod';
import { policyDocumentSchema } from '../../packages/server/src/policy/document/policy-document-schema.ts';
import { code, generated, table } from './markdown.ts';

/** The part of JSON Schema that the document's schema uses. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: string | number | boolean | object;
  readonly enum?: readonly unknown[];
  readonly const?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly required?: readonly string[];
}

export function policyDocumentPage(): string {
  const schema = z.toJSONSchema(policyDocumentSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  const intro =
    'Every key of a policy document, in files and in the management API. How to use them: [policies](../policies.md).';
  const rows = rowsOf(schema, '');
  return `${generated('Policy document', intro)}\n${table(['key', 'value', 'default', 'meaning'], rows)}\n`;
}

function rowsOf(node: Node, path: string): readonly (readonly string[])[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const inner =
      member.items?.properties === undefined ? rowsOf(member, at) : rowsOf(member.items, `${at}[]`);
    const required = node.required?.includes(name) === true ? ' (required)' : '';
    return [
      [code(at), `${valueOf(member)}${required}`, fallback(member), member.description ?? ''],
      ...inner,
    ];
  });
}

function valueOf(node: Node): string {
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(', ');
  if (node.items !== undefined) return `list of ${valueOf(node.items)}`;
  return node.type === 'object' ? 'map' : (node.type ?? 'any');
}

function fallback(node: Node): string {
  const { default: value } = node;
  return value === undefined || typeof value === 'object' ? '' : code(String(value));
}
