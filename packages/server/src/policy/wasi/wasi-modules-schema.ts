import { z } from 'zod';
import { resourceRule } from '../document/match-schema.ts';
import {
  concurrencySchema,
  memorySchema,
  mutationRules,
  outputSchema,
  systemNamesSchema,
  timeoutSchema,
} from '../document/policy-document-schema.ts';
import { sha256Schema } from '../document/value-schemas.ts';

const NO_PATH = 'no module path specified';

/** What modules of every gate have. The keys from `timeout` on are ours. */
const common = {
  name: z.string().exactOptional().describe('default: the name of the file'),
  module: z
    .string({ error: NO_PATH })
    .min(1, NO_PATH)
    .describe('path; a relative one starts from the folder of this file'),
  settings: z.unknown().default(null).describe('any value; reaches the module as it is'),
  debug: z.boolean().default(false).describe('read and without effect'),
  timeout: timeoutSchema.prefault('1s').describe('wall clock of one call; default `1s`'),
  memory: memorySchema.prefault('64Mi').describe('linear memory; default `64Mi`'),
  output: outputSchema.prefault('4Mi').describe('answer on standard output; default `4Mi`'),
  concurrency: concurrencySchema
    .exactOptional()
    .describe('calls at the same time in each gate thread, others wait their time; default: no bound'),
  sha256: sha256Schema.exactOptional().describe('SHA-256 that the bytes must have'),
};

const rule = resourceRule.omit({ resourceNames: true }).extend({
  operations: z
    .array(z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT', '*']))
    .min(1)
    .describe('operations; `*` is every one'),
});

export const authenticationModule = z.strictObject({ ...common, systemNames: systemNamesSchema });

export const authorizationModule = z.strictObject({
  ...common,
  onError: z
    .enum(['noOpinion', 'deny'])
    .default('noOpinion')
    .describe('what a module that cannot answer means'),
});

export const admissionModule = z.strictObject({
  ...common,
  type: z.enum(['wasi', 'kubewarden']).default('wasi').describe('dialect of the module'),
  mutating: z.boolean().default(false).describe('true: called in the mutating phase, and only there'),
  rules: z.array(rule).default([]).describe('as in webhook configurations; none: never called'),
  onError: z.enum(['fail', 'ignore']).default('fail').describe('what a module that cannot answer means'),
  ...mutationRules,
});

export type AuthenticationModule = z.output<typeof authenticationModule>;
export type AuthorizationModule = z.output<typeof authorizationModule>;
export type AdmissionModule = z.output<typeof admissionModule>;

/** Its entries are checked one by one, so that a bad one does not take the others down. */
export const modulesFile = z.strictObject({
  modules: z.array(z.unknown()).nullable().describe('the modules, in the order in which they are asked'),
});

/** The file of `--admission-control-config-file`; plugins of other names are the API server's own. */
export const admissionConfiguration = z.looseObject({
  plugins: z.array(z.looseObject({ name: z.string() })),
});

export const wasmPlugin = z
  .strictObject({
    name: z.literal('WASM'),
    path: z.string().exactOptional().describe('another file with modules'),
    configuration: modulesFile.nullable().exactOptional().describe('the modules themselves'),
  })
  .superRefine(({ path, configuration }, context) => {
    const isFile = path !== undefined && path !== '';
    if (isFile === (configuration === undefined || configuration === null)) return;
    context.addIssue({ code: 'custom', message: 'must have either `path` or `configuration`' });
  });
