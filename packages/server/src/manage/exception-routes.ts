import type { ControlPlane } from './control-plane.ts';
import { jsonResponse } from './http/responses.ts';
import type { Route } from './http/route.ts';
import { exceptionListSchema } from './openapi/schemas.ts';

/** Exceptions are changed where they come from: files and objects of the Kubernetes API. */
export function exceptionRoutes(control: Pick<ControlPlane, 'exceptions'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/exceptions',
      operationId: 'listExceptions',
      summary: 'What policies may not deny, and until when; those that are over or refused included',
      access: 'viewer',
      faults: 'problem',
      answers: {
        200: { description: 'sorted by name', content: { 'application/json': exceptionListSchema } },
      },
      failures: [],
      handle: () => jsonResponse({ items: control.exceptions() }),
    },
  ];
}
