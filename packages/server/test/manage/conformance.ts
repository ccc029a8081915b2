import { ok } from 'node:assert/strict';
import { z } from 'zod';
import type { OpenApiDocument } from '../../src/manage/openapi/describe-api.ts';

interface Described {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** Asserts that an answer is one that the document describes, down to the JSON Schema of its body. */
export function conformanceOf(
  document: OpenApiDocument,
): (method: string, path: string, response: Response) => Promise<void> {
  const { schemas } = document.components as { schemas: object };
  const validators = new Map<object, z.ZodType>();

  function validatorOf(schema: object): z.ZodType {
    let validator = validators.get(schema);
    if (validator === undefined) {
      const whole = JSON.stringify({ ...schema, $defs: schemas }).replaceAll(
        '#/components/schemas/',
        '#/$defs/',
      );
      validator = z.fromJSONSchema(JSON.parse(whole) as Parameters<typeof z.fromJSONSchema>[0]);
      validators.set(schema, validator);
    }
    return validator;
  }

  return async (method, path, response) => {
    const operation = find(document, method, path.split('?')[0] ?? '');
    // Paths and methods that do not exist are answered, but not described.
    if (operation === undefined) return;
    const told = `${method} ${path} → ${response.status}`;
    const answer = operation.responses[String(response.status)];
    ok(answer, `${told} is not described`);
    if (answer.content === undefined || method === 'HEAD') return;
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const media = answer.content[type];
    ok(media, `${told} as ${type} is not described`);
    if (!type.endsWith('json')) return;
    const result = validatorOf(media.schema).safeParse(await response.clone().json());
    ok(result.success, `${told}: ${result.error?.message}`);
  };
}

function find(document: OpenApiDocument, method: string, path: string): Described | undefined {
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
  for (const [template, operations] of Object.entries(document.paths)) {
    const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`);
    if (pattern.test(path)) return operations[verb];
  }
  return undefined;
}
