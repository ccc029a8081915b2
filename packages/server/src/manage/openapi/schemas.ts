import { z } from 'zod';
import { pluginSchema } from '../../policy/plugins/plugin-schema.ts';
import { DOCUMENT_SCHEMAS, shownDocumentSchema } from './document-schemas.ts';
import { kubernetesStatusSchema } from './kubernetes-schema.ts';

const time = z.number().describe('milliseconds since 1970');

const problem = z.strictObject({ code: z.string(), message: z.string() });

const faultNote = z.strictObject({ time, code: z.string(), message: z.string(), uid: z.string() });

export const policyStatusSchema = z.strictObject({
  name: z.string(),
  state: z.enum(['loaded', 'refused', 'disabled']),
  lastGood: z.boolean().describe('the newest document is broken, and an older one is in force'),
  standsIn: z
    .boolean()
    .describe('nothing of it was ever loaded: its failure policy decides about whatever it matches'),
  named: z
    .boolean()
    .exactOptional()
    .describe("asked only by requests that name it, as in the place of Kubewarden's policy-server"),
  problem: problem.exactOptional(),
  warnings: z.array(z.string()),
  origin: z.string().describe('where the document comes from'),
  engine: z.string().exactOptional(),
  digest: z.string().exactOptional().describe('SHA-256 of the module'),
  moduleBytes: z.number().exactOptional(),
  lastFaults: z.array(faultNote).max(10).describe('newest first'),
});

export const policyResourceSchema = z.strictObject({
  name: z.string(),
  policy: shownDocumentSchema.exactOptional().describe('in force; absent when it never loaded'),
  status: policyStatusSchema,
});

export const policyListSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      name: z.string(),
      version: z.string().exactOptional(),
      description: z.string().exactOptional(),
      gate: z.string().exactOptional(),
      phase: z.string().exactOptional(),
      order: z.number().exactOptional(),
      mode: z.string().exactOptional(),
      failurePolicy: z.string().exactOptional(),
      enabled: z.boolean().exactOptional(),
      status: policyStatusSchema,
    }),
  ),
});

export const exceptionListSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['active', 'expired', 'refused']).describe('`refused`: it was never good'),
      origin: z.string().describe('where the document comes from'),
      policies: z.array(z.string()).exactOptional().describe('globs of the policies that may not deny'),
      expires: z.union([z.literal('never'), time]).exactOptional(),
      reason: z.string().exactOptional().describe('why, as its author wrote it'),
      problem: problem
        .exactOptional()
        .describe('what is wrong with the newest document; an older one may be in force'),
    }),
  ),
});

const kindSchema = z.strictObject({ group: z.string(), version: z.string(), kind: z.string() });
const resourceSchema = z.strictObject({ group: z.string(), version: z.string(), resource: z.string() });

const contributionSchema = z.strictObject({
  policy: z.string(),
  outcome: z.enum(['allow', 'deny', 'abstain', 'fault']),
  mode: z.enum(['enforce', 'warn', 'audit']),
  failurePolicy: z.enum(['Fail', 'Ignore']),
  message: z.string().exactOptional(),
  exception: z.string().exactOptional().describe('the exception that kept a denial from taking effect'),
  fault: z.string().exactOptional().describe('fault code'),
  keptFields: z
    .number()
    .exactOptional()
    .describe('fields that a mutating policy did not return and that stayed all the same'),
  durationMs: z.number(),
  fuel: z.number(),
  memoryBytes: z.number(),
});

const namedSchema = z.strictObject({
  origin: z.enum(['validate', 'audit', 'validate_raw']),
  accepted: z.boolean(),
  mutated: z.boolean(),
  code: z.number().exactOptional(),
});

export const decisionListSchema = z.strictObject({
  items: z
    .array(
      z.strictObject({
        time,
        gate: z.string(),
        phase: z.enum(['validate', 'mutate']),
        uid: z.string(),
        operation: z.string(),
        kind: kindSchema,
        resource: resourceSchema,
        subresource: z.string(),
        namespace: z.string(),
        name: z.string(),
        user: z.string(),
        verb: z.string().exactOptional().describe('gate `authorization`'),
        path: z.string().exactOptional().describe('gate `authorization`, of what is no resource'),
        dryRun: z.boolean(),
        outcome: z.enum(['allow', 'deny', 'abstain', 'unknown']),
        message: z.string().exactOptional(),
        patched: z.boolean(),
        warnings: z.number().describe('how many'),
        auditAnnotations: z.record(z.string(), z.string()),
        contributions: z.array(contributionSchema),
        named: namedSchema.exactOptional().describe('what the policy itself said when asked by its name'),
        revision: z.number().describe('of the policy set that decided'),
        durationMs: z.number(),
        traceParent: z.string().exactOptional(),
      }),
    )
    .describe('newest first'),
});

export const readinessSchema = z.strictObject({
  status: z.enum(['ready', 'not ready']),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), message: z.string().exactOptional() })),
});

export const serverStatusSchema = z.strictObject({
  version: z.string(),
  startedAt: time,
  ready: z.boolean(),
  revision: z
    .strictObject({ built: z.number(), inForce: z.number() })
    .describe('newest policy set, and the lowest that every gate thread decides by'),
  threads: z.strictObject({ alive: z.number(), replaced: z.number() }),
  lastReload: z.strictObject({ time, problems: z.array(z.string()) }).exactOptional(),
  certificates: z.array(z.strictObject({ name: z.string(), notAfter: time })),
  kubernetes: kubernetesStatusSchema.exactOptional().describe('absent without a cluster'),
});

export const configurationSchema = z.record(z.string(), z.unknown()).describe('secrets are redacted');

export const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string().describe('stable; see the reference of errors'),
  advice: z.string().describe('what to do next'),
  line: z.number().exactOptional().describe('in the document that was sent'),
  column: z.number().exactOptional(),
  path: z.string().exactOptional().describe('key of the document'),
});

export const pluginHealthSchema = z.strictObject({ status: z.string(), plugins_loaded: z.number() });

export const pluginListSchema = z.strictObject({
  plugins: z.array(
    z.strictObject({
      name: z.string(),
      version: z.string(),
      description: z.string().nullable(),
      operations: z.array(z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'])),
      enabled: z.boolean(),
    }),
  ),
});

export const pluginCreatedSchema = z.strictObject({ status: z.literal('created') });
export const pluginRemovedSchema = z.strictObject({ status: z.literal('removed') });
export const pluginErrorSchema = z.strictObject({ error: z.string() });

export const openApiSchema = z.record(z.string(), z.unknown()).describe('this document');

/** Schemas with a name in the document. */
export const NAMED_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  ...DOCUMENT_SCHEMAS,
  PolicyStatus: policyStatusSchema,
  Policy: policyResourceSchema,
  PolicyList: policyListSchema,
  ExceptionList: exceptionListSchema,
  DecisionList: decisionListSchema,
  Readiness: readinessSchema,
  ServerStatus: serverStatusSchema,
  Configuration: configurationSchema,
  Problem: problemSchema,
  Plugin: pluginSchema,
  PluginList: pluginListSchema,
  PluginHealth: pluginHealthSchema,
  PluginCreated: pluginCreatedSchema,
  PluginRemoved: pluginRemovedSchema,
  PluginError: pluginErrorSchema,
  OpenApi: openApiSchema,
};
