import { z } from 'zod';
import { admissionMatchProblems, gateProblems, groupGateProblems, reportProblems } from './gate-problems.ts';
import { expressionSchema, matchSchema } from './match-schema.ts';
import {
  base64Schema,
  byteSizeSchema,
  durationSchema,
  filledText,
  memberNameSchema,
  nameSchema,
  pointerSchema,
  policyGlobSchema,
  sha256Schema,
  systemNameSchema,
  timeSchema,
  urlSchema,
} from './value-schemas.ts';

export const POLICY_API_VERSION = 'portcullis.dev/v1';

const TIMEOUT = { min: 1, max: 30_000, shown: 'from `1ms` to `30s`' };
const MEMORY = { min: 65_536, max: 1024 ** 3, shown: 'from `64Ki` to `1Gi`' };
const MAX_FUEL = 1e12;
/** Of a group; each is an evaluation in one review. */
const MAX_MEMBERS = 32;

export const timeoutSchema = durationSchema(TIMEOUT);
export const memorySchema = byteSizeSchema(MEMORY);
/** Of answers on standard output. */
export const outputSchema = byteSizeSchema({ min: 1024, max: 64 * 1024 ** 2, shown: 'from `1Ki` to `64Mi`' });
export const concurrencySchema = z.number().int().min(1).max(1000);
export const fuelSchema = z.number().int().min(1).max(MAX_FUEL);

const keyReference = z.strictObject({
  name: filledText.describe('name of the ConfigMap or Secret'),
  key: filledText.describe('key whose value is the module'),
  namespace: filledText.exactOptional().describe("its namespace; default: the server's own"),
});

export const MODULE_PLACES = ['file', 'inline', 'url', 'oci', 'configMap', 'secret'] as const;

const moduleReference = z
  .strictObject({
    file: filledText.exactOptional().describe('path; a relative one starts from the folder of the document'),
    inline: base64Schema.exactOptional().describe('the module itself in base64'),
    url: urlSchema.exactOptional().describe('where to download it'),
    oci: filledText.exactOptional().describe('reference of an OCI artifact'),
    configMap: keyReference.exactOptional().describe('key of a ConfigMap'),
    secret: keyReference.exactOptional().describe('key of a Secret'),
    sha256: sha256Schema
      .exactOptional()
      .describe('SHA-256 that the bytes must have, hex; `sha256:` may stand before it'),
  })
  .superRefine((module, context) => {
    const message = oneOf(MODULE_PLACES, (place) => module[place] !== undefined);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** What to say when not exactly one of the names is given. */
export function oneOf<T extends string>(
  names: readonly T[],
  isGiven: (name: T) => boolean,
): string | undefined {
  const given = names.filter(isGiven);
  if (given.length === 1) return undefined;
  const all = names.map((name) => `\`${name}\``).join(', ');
  return given.length === 0
    ? `must name one of ${all}`
    : `must name only one of ${all}, not ${given.map((name) => `\`${name}\``).join(' and ')}`;
}

const limits = z.strictObject({
  timeout: timeoutSchema
    .prefault('1s')
    .describe('wall clock of one evaluation, host calls included: `1ms` to `30s`; default `1s`'),
  memory: memorySchema.prefault('16Mi').describe('linear memory: `64Ki` to `1Gi`; default `16Mi`'),
  fuel: fuelSchema
    .default(10_000_000)
    .describe('about one per Wasm instruction: 1 to 1e12; default 10000000'),
  output: outputSchema
    .exactOptional()
    .describe('answer on standard output (engine `wasi`): `1Ki` to `64Mi`; default `4Mi`'),
  concurrency: concurrencySchema
    .exactOptional()
    .describe('evaluations at the same time in each gate thread, others wait their time; default: no bound'),
});

export const systemNamesSchema = z
  .array(systemNameSchema)
  .min(1)
  .exactOptional()
  .describe(
    'gate `authentication`: user names and groups beginning with `system:` that the policy may give, `*` and `?` allowed; `system:masters` only by its whole name; default: none',
  );

/** How a complete object that a policy returns becomes a patch. */
export const mutationRules = {
  removals: z
    .enum(['protect', 'refuse', 'honour'])
    .default('protect')
    .describe(
      'a field that the policy did not return: `protect` keeps it and warns, `refuse` is a fault, `honour` removes it',
    ),
  removable: z
    .array(pointerSchema)
    .default([])
    .describe('JSON pointers, `*` for one segment, of fields that the policy may remove'),
};

const metadata = z.strictObject({
  name: nameSchema.describe('DNS-1123 subdomain, unique among all policies'),
  version: filledText.exactOptional().describe('of the policy, for people'),
  description: z.string().exactOptional().describe('what the policy is for'),
  labels: z.record(z.string(), z.string()).default({}).describe('to find it by'),
  annotations: z.record(z.string(), z.string()).default({}).describe('notes of tools'),
});

const gate = z
  .enum(['admission', 'authentication', 'authorization', 'resource', 'runtime'])
  .default('admission')
  .describe('the gate whose reviews the policy judges');

/** What happens with the verdict, the same for policies and groups. */
const effect = {
  order: z.number().int().default(100).describe('inside a phase, ascending; ties by name'),
  mode: z
    .enum(['enforce', 'warn', 'audit'])
    .default('enforce')
    .describe('`warn`: a denial allows and tells the client; `audit`: it allows and is only recorded'),
  failurePolicy: z
    .enum(['Fail', 'Ignore'])
    .default('Fail')
    .describe('what it means when the policy cannot answer: `Fail` denies, `Ignore` allows with a warning'),
  match: matchSchema.prefault({}).describe('the requests that the policy judges; empty: all'),
  enabled: z.boolean().default(true).describe('false: loaded and listed, never asked'),
};

/** What runs. */
const program = {
  engine: z
    .enum(['plugin', 'wasi', 'kubewarden', 'opa', 'gatekeeper', 'rego', 'typescript', 'http', 'image'])
    .exactOptional()
    .describe('how the module is run; default: found out from the module'),
  module: moduleReference.describe('the code: exactly one place'),
  entrypoint: filledText
    .exactOptional()
    .describe(
      'the rule that answers, of a module compiled from Rego: name or number; default: its first one',
    ),
  settings: z.unknown().default(null).describe('any value; reaches the policy as it is'),
  limits: limits.prefault({}).describe('enforced in each evaluation'),
  capabilities: z
    .array(filledText)
    .default([])
    .describe('what the policy may ask of the host: `kubernetes/get_resource`, `oci/*`'),
  contextAwareResources: z
    .array(
      z.strictObject({
        apiVersion: filledText.describe('group and version, `v1` for the core group'),
        kind: filledText.describe('kind, as objects spell it'),
      }),
    )
    .exactOptional()
    .describe('kinds of objects of the cluster that the policy may read; it needs the capability as well'),
};

const spec = z
  .strictObject({
    gate,
    phase: z
      .enum(['validate', 'mutate'])
      .default('validate')
      .describe('mutating policies run first, one after another'),
    ...effect,
    ...program,
    systemNames: systemNamesSchema,
    mutation: z
      .strictObject(mutationRules)
      .exactOptional()
      .describe('how complete objects that a mutating policy returns are read'),
    message: filledText
      .exactOptional()
      .describe("replaces the text that the client sees; the policy's own goes to the causes"),
  })
  .superRefine((document, context) => reportProblems(gateProblems(document), context));

const groupSpec = z
  .strictObject({
    gate,
    ...effect,
    expression: expressionSchema.describe(
      'CEL over the members, called by name: `signed() && (trusted() || !remote())`; true allows',
    ),
    message: filledText.describe('what the client sees when the expression is false'),
    members: z
      .record(z.string(), z.strictObject(program))
      .superRefine((members, context) => {
        for (const name of Object.keys(members)) {
          const [problem] = memberNameSchema.safeParse(name).error?.issues ?? [];
          if (problem !== undefined)
            context.addIssue({ code: 'custom', path: [name], message: problem.message });
        }
        const count = Object.keys(members).length;
        if (count > 0 && count <= MAX_MEMBERS) return;
        context.addIssue({ code: 'custom', message: `must have 1 to ${MAX_MEMBERS} members, not ${count}` });
      })
      .describe('validating policies by the name that the expression calls them by'),
  })
  .superRefine((document, context) => reportProblems(groupGateProblems(document), context));

/** The one definition of the policy document: parsing, the JSON Schema and the reference in the docs come from it. */
export const policyDocumentSchema = z.strictObject({
  apiVersion: z.literal(POLICY_API_VERSION).describe('version of this form'),
  kind: z.literal('Policy').describe('kind of the document'),
  metadata: metadata.describe('name and notes'),
  spec: spec.describe('the policy itself'),
});

export type PolicyDocument = z.output<typeof policyDocumentSchema>;

/** Members that one expression makes one verdict of. */
export const groupDocumentSchema = z.strictObject({
  apiVersion: z.literal(POLICY_API_VERSION).describe('version of this form'),
  kind: z.literal('PolicyGroup').describe('kind of the document'),
  metadata: metadata.describe('name and notes'),
  spec: groupSpec.describe('the group itself'),
});

export type GroupDocument = z.output<typeof groupDocumentSchema>;

const exceptionSpec = z.strictObject({
  policies: z
    .array(policyGlobSchema)
    .min(1)
    .describe('names of policies that may not deny; `*` and `?` allowed, `*` alone means every policy'),
  match: matchSchema
    .superRefine((match, context) => reportProblems(admissionMatchProblems(match), context))
    .prefault({})
    .describe('the requests that are excepted; empty: all'),
  users: z.array(filledText).default([]).describe('user names, `*` and `?` allowed; empty: every user'),
  groups: z
    .array(filledText)
    .default([])
    .describe('groups, one of which the user must be in; empty: any user'),
  expires: z
    .union([z.literal('never'), timeSchema], {
      error: 'must be a time such as `2027-01-31T00:00:00Z`, or `never`',
    })
    .describe('when it ends, RFC 3339; `never` must be said'),
  reason: filledText.describe('why, for those who read reports'),
});

/** What some policies may not deny. */
export const exceptionDocumentSchema = z.strictObject({
  apiVersion: z.literal(POLICY_API_VERSION).describe('version of this form'),
  kind: z.literal('PolicyException').describe('kind of the document'),
  metadata: metadata.describe('name and notes'),
  spec: exceptionSpec.describe('the exception itself'),
});

export type ExceptionDocument = z.output<typeof exceptionDocumentSchema>;
