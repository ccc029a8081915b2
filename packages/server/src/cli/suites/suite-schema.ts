import { z } from 'zod';
import { recordedCallSchema } from '../offline/recorded-calls.ts';

/** What a case expects; everything that is absent is not looked at. */
const expectation = z.strictObject({
  allowed: z
    .boolean()
    .describe('whether the request is admitted, the token authenticated, or the access allowed'),
  matched: z.boolean().optional().describe('false: the policy must not concern this review at all'),
  message: z.string().optional().describe('text that the denial must contain'),
  reason: z.string().optional().describe('reason code of the denial, in full'),
  warnings: z
    .array(z.string())
    .optional()
    .describe('each must be contained in one warning; [] means none at all'),
  auditAnnotations: z
    .record(z.string(), z.string())
    .optional()
    .describe('must be among the annotations, by key of the policy'),
  patched: z.record(z.string(), z.unknown()).optional().describe('subset of the object after the mutation'),
  fault: z.string().optional().describe('code of the fault that must have happened'),
  denied: z
    .boolean()
    .optional()
    .describe('true: denied; false: not, which at the gate `authorization` may be no opinion'),
  user: z.record(z.string(), z.unknown()).optional().describe('subset of the user who was authenticated'),
  audiences: z.array(z.string()).optional().describe('those that the token is good for, all of them'),
  error: z
    .string()
    .optional()
    .describe('text that the error of a TokenReview or SubjectAccessReview must contain'),
});

const shortReview = z.strictObject({
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']).optional(),
  object: z.unknown().optional(),
  oldObject: z.unknown().optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  userInfo: z.record(z.string(), z.unknown()).optional(),
  dryRun: z.boolean().optional(),
  resource: z.string().optional(),
  subresource: z.string().optional(),
});

const hostCalls = z.union([z.string(), z.array(recordedCallSchema)], {
  error: 'must be the path of a recording or a list of calls: `capability`, `request`, `response` or `error`',
});

/** One file of `portcullis test`. */
export const suiteSchema = z.strictObject({
  policy: z
    .union([z.string(), z.array(z.string()).min(1)])
    .describe(
      'path, from this file, of the policy; a list when its modules, exceptions or other policies stand elsewhere',
    ),
  settings: z.unknown().optional().describe('replaces the settings of the policy'),
  hostCalls: hostCalls
    .optional()
    .describe('what the policy may ask of the host, and gets: a recording, from this file, or its calls'),
  cases: z
    .array(
      z.strictObject({
        name: z.string(),
        review: shortReview.optional().describe('the request in short'),
        tokenReview: z
          .record(z.string(), z.unknown())
          .optional()
          .describe('the spec of a TokenReview: `{ token: …, audiences: […] }`'),
        accessReview: z
          .record(z.string(), z.unknown())
          .optional()
          .describe('the spec of a SubjectAccessReview: `{ user: …, groups: […], resourceAttributes: … }`'),
        file: z.string().optional().describe('a manifest or a review, from this file'),
        settings: z.unknown().optional().describe('replaces the settings for this case'),
        hostCalls: hostCalls.optional().describe('for this case, before those of the suite'),
        expect: expectation,
      }),
    )
    .min(1),
});

export type Suite = z.infer<typeof suiteSchema>;
export type SuiteCase = Suite['cases'][number];
export type Expectation = SuiteCase['expect'];
