import type { Operation } from '@portcullis/contract';
import { z } from 'zod';
import { nearestWord } from '../../kernel/nearest-word.ts';
import { oneOf } from '../document/policy-document-schema.ts';
import {
  base64Schema,
  filledText,
  nameSchema,
  sha256Schema,
  show,
  urlSchema,
} from '../document/value-schemas.ts';

const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];
/** Named by database triggers; it never reaches a webhook. */
export const DATABASE_TRIGGER = 'DBTRIGGER';
const PLACES = ['wasmBinary', 'configMapRef', 'secretRef', 'url'] as const;

export const PLUGIN_LIMITS = { timeoutMs: 1000, maxMemoryBytes: 16_777_216, maxFuel: 1_000_000 };

const reference = z.strictObject({
  name: filledText.describe('name of the ConfigMap or Secret'),
  key: filledText.describe('key whose value is the module'),
  namespace: filledText.exactOptional().describe("its namespace; default: the server's own"),
});

const operation = z.string().transform((text, context) => {
  const name = text.replaceAll('_', '').toUpperCase();
  if (name === DATABASE_TRIGGER) return DATABASE_TRIGGER;
  const known = OPERATIONS.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  const near = nearestWord(text, OPERATIONS);
  const suggestion = near === undefined ? '' : `, did you mean \`${near}\`?`;
  const list = OPERATIONS.map((candidate) => `\`${candidate}\``).join(', ');
  context.issues.push({
    code: 'custom',
    message: `must be one of ${list}, not ${show(text)}${suggestion}`,
    input: text,
  });
  return z.NEVER;
});

const limits = z.strictObject({
  timeoutMs: z
    .number()
    .int()
    .min(1)
    .max(30_000)
    .default(PLUGIN_LIMITS.timeoutMs)
    .describe('milliseconds of wall clock of one evaluation, host calls included'),
  maxMemoryBytes: z
    .number()
    .int()
    .min(65_536)
    .max(1024 ** 3)
    .default(PLUGIN_LIMITS.maxMemoryBytes)
    .describe('bytes of linear memory'),
  maxFuel: z
    .number()
    .int()
    .min(1)
    .max(1e12)
    .default(PLUGIN_LIMITS.maxFuel)
    .describe('about one per Wasm instruction'),
});

const metadata = z.strictObject({
  name: nameSchema.describe('DNS-1123 subdomain, unique among all policies'),
  version: filledText.describe('of the plugin, for people'),
  description: z.string().exactOptional().describe('what the plugin is for'),
  author: z.string().exactOptional().describe('who made it'),
  sha256: sha256Schema.exactOptional().describe('SHA-256 that the bytes must have'),
  limits: limits.prefault({}).describe('enforced in each evaluation'),
});

/** One entry of `plugins.yaml` and the body of `POST /plugins`, keys in camelCase. */
export const pluginSchema = z
  .strictObject({
    metadata: metadata.describe('name, digest and limits'),
    wasmBinary: base64Schema.exactOptional().describe('the module itself in base64'),
    configMapRef: reference.exactOptional().describe('key of a ConfigMap'),
    secretRef: reference.exactOptional().describe('key of a Secret'),
    url: urlSchema.exactOptional().describe('where to download the module'),
    operations: z
      .array(operation)
      .min(1)
      .default(['CREATE', 'UPDATE'])
      .describe('operations, in any letter case; `DBTRIGGER` never matches a request'),
    enabled: z.boolean().default(true).describe('false: loaded and listed, never asked'),
    failOpen: z.boolean().default(false).describe('true: allow with a warning when the plugin cannot answer'),
    mutating: z.boolean().default(false).describe('true: the plugin may change the object'),
    pluginConfig: z.record(z.string(), z.unknown()).default({}).describe('reaches the plugin as it is'),
  })
  .superRefine((plugin, context) => {
    const message = oneOf(PLACES, (place) => plugin[place] !== undefined);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .describe('one plugin');

export type PluginDocument = z.output<typeof pluginSchema>;

/** A `plugins.yaml`; its entries are checked one by one, so that a bad one does not take the others down. */
export const pluginsFileSchema = z.strictObject({
  plugins: z.array(z.unknown()).nullable().describe('the plugins, in the order in which they run'),
});
