import type { ControlPlane } from './control-plane.ts';
import { jsonResponse, textResponse } from './http/responses.ts';
import type { Route } from './http/route.ts';
import { configurationSchema, openApiSchema, serverStatusSchema } from './openapi/schemas.ts';

/** What there is to know of the server itself. */
export function serverRoutes(control: ControlPlane, openApi: () => object): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/status',
      operationId: 'readStatus',
      summary: 'Version, revisions, gate threads, certificates, and what is followed in a cluster',
      access: 'viewer',
      faults: 'problem',
      answers: { 200: { description: 'now', content: { 'application/json': serverStatusSchema } } },
      failures: [],
      handle: () => jsonResponse({ ...control.status(), ready: control.readiness().ready }),
    },
    {
      method: 'GET',
      path: '/api/v1/configuration',
      operationId: 'readConfiguration',
      summary: 'The effective configuration, secrets redacted',
      access: 'admin',
      faults: 'problem',
      answers: { 200: { description: 'in force', content: { 'application/json': configurationSchema } } },
      failures: [],
      handle: () => jsonResponse(control.configuration()),
    },
    {
      method: 'GET',
      path: '/metrics',
      operationId: 'readMetrics',
      summary: 'Metrics in the Prometheus text format',
      access: 'metrics',
      faults: 'problem',
      answers: { 200: { description: 'now', content: { 'text/plain': 'text' } } },
      failures: [],
      async handle() {
        const { contentType, text } = await control.metrics();
        return textResponse(text, 200, contentType);
      },
    },
    {
      method: 'GET',
      path: '/openapi.json',
      operationId: 'readOpenApi',
      summary: 'This document',
      access: 'open',
      faults: 'problem',
      answers: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': openApiSchema } } },
      failures: [],
      handle: () => jsonResponse(openApi()),
    },
  ];
}
