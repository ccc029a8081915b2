import { z } from 'zod';
import { isFault } from '../kernel/fault.ts';
import type { ControlPlane } from './control-plane.ts';
import { flag, readQuery } from './http/read-query.ts';
import { jsonResponse } from './http/responses.ts';
import type { Route } from './http/route.ts';
import { decisionListSchema } from './openapi/schemas.ts';

const DEFAULT_LIMIT = '100';
const MAX_LIMIT = 1000;

const moment = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)))
  .refine((time) => Number.isSafeInteger(time));

const querySchema = z.strictObject({
  policy: z.string().exactOptional().describe('the name of a policy that took part'),
  outcome: z.enum(['allow', 'deny', 'abstain']).exactOptional().describe('`allow`, `deny` or `abstain`'),
  namespace: z.string().exactOptional().describe('a namespace'),
  uid: z.string().exactOptional().describe('the uid of a review'),
  faulted: flag.exactOptional().describe('`true` (a policy could not answer) or `false`'),
  since: moment.exactOptional().describe('milliseconds since 1970, or a time such as `2026-01-31T12:00:00Z`'),
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT)
    .prefault(DEFAULT_LIMIT)
    .describe(`a whole number from 1 to ${MAX_LIMIT}`),
});

export function decisionRoutes(control: ControlPlane): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/decisions',
      operationId: 'listDecisions',
      summary: 'Recent decisions; every filter that is given must hold',
      access: 'viewer',
      faults: 'problem',
      query: querySchema,
      answers: { 200: { description: 'newest first', content: { 'application/json': decisionListSchema } } },
      failures: [400],
      handle({ url }) {
        const filter = readQuery(url, querySchema);
        return isFault(filter) ? filter : jsonResponse({ items: control.decisions(filter) });
      },
    },
  ];
}
