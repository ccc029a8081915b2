import { z } from 'zod';
import { statusTitle } from './status-title.ts';
import type { Answer, Content, Route } from '../http/route.ts';
import { NAMED_SCHEMAS, pluginErrorSchema, problemSchema } from './schemas.ts';

/** An OpenAPI 3.1 document, as JSON. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: object;
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly object[];
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
  /** Role that the token needs. */
  readonly 'x-role'?: string;
}

const SCHEMA_BASE = '#/components/schemas/';
const SHARED =
  'Portcullis manages admission policies. Errors are RFC 9457 problems; paths of the plugin reference keep its form.';

/** The document of all routes; what it says is made of what serves them. */
export function describeApi(
  routes: readonly Route[],
  options: { readonly version: string; readonly metricsOpen: boolean },
): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const route of routes) {
    const operations = (paths[route.path] ??= {});
    operations[route.method.toLowerCase()] = describeRoute(route, options.metricsOpen);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Portcullis management API', version: options.version, description: SHARED },
    paths,
    components: { schemas: namedSchemas(), securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

function describeRoute(route: Route, metricsOpen: boolean): OpenApiOperation {
  const { access } = route;
  const role = access === 'metrics' ? (metricsOpen ? 'open' : 'viewer') : access;
  const isOpen = role === 'open';
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)];
  const failures = [...route.failures, ...(isOpen ? [] : [401, 403, 429]), 500];
  const faultContent: Content =
    route.faults === 'reference'
      ? { 'application/json': pluginErrorSchema }
      : { 'application/problem+json': problemSchema };
  const responses: Record<string, object> = {};
  for (const status of failures.sort((a, b) => a - b)) {
    responses[status] = describeAnswer({ description: statusTitle(status), content: faultContent });
  }
  for (const [status, answer] of Object.entries(route.answers)) responses[status] = describeAnswer(answer);
  return {
    operationId: route.operationId,
    summary: route.summary,
    security: isOpen ? [] : [{ token: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: describeContent(route.body) } }),
    responses,
    ...(isOpen ? {} : { 'x-role': role }),
  };
}

function describeAnswer({ description, content }: Answer): object {
  return content === undefined ? { description } : { description, content: describeContent(content) };
}

function describeContent(content: Content): object {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, { schema: describeSchema(schema) }]),
  );
}

function describeSchema(schema: Content[string]): object {
  if (schema === 'text') return { type: 'string' };
  if (schema === 'binary') return { type: 'string', format: 'binary' };
  const named = Object.entries(NAMED_SCHEMAS).find(([, candidate]) => candidate === schema);
  if (named === undefined) throw new TypeError('a schema of a route has no name in NAMED_SCHEMAS');
  return { $ref: `${SCHEMA_BASE}${named[0]}` };
}

function pathParameters({ path }: Route): readonly object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters({ query }: Route): readonly object[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function headerParameters({ headers = {} }: Route): readonly object[] {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
}

/** Documents are described as they may be written: with defaults left out, quantities as text. */
function namedSchemas(): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED_SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `${SCHEMA_BASE}${id}` });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { $schema: _dialect, $id: _id, ...rest } = schema;
      return [id, rest];
    }),
  );
}
