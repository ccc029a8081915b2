import { z } from 'zod';
import { Fault } from '../../kernel/fault.ts';

export const METADATA_SECTION = 'io.kubewarden.metadata';

function alone(text: z.ZodString): z.ZodType<readonly string[]> {
  return z.array(text).refine((list) => list.length === 1 || !list.includes('*'), '`*` stands alone');
}

/** Metadata of a module, in the words of Kubewarden. */
const metadataSchema = z
  .strictObject({
    protocolVersion: z.literal('v1').optional(),
    executionMode: z.enum(['kubewarden-wapc', 'wasi', 'opa', 'gatekeeper']).default('kubewarden-wapc'),
    policyType: z.enum(['kubernetes', 'raw']).default('kubernetes'),
    mutating: z.boolean(),
    backgroundAudit: z.boolean().default(true),
    rules: z
      .array(
        z.strictObject({
          // The core group has no name.
          apiGroups: alone(z.string()),
          apiVersions: alone(z.string().min(1)),
          resources: z.array(z.string().min(1)),
          operations: z.array(z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT', '*'])),
        }),
      )
      .default([]),
    contextAwareResources: z
      .array(z.strictObject({ apiVersion: z.string().min(1), kind: z.string().min(1) }))
      .default([]),
    hostCapabilities: z.array(z.string().min(1)).optional(),
    minimumKubewardenVersion: z
      .string()
      .regex(/^\d+\.\d+(?:\.\d+)?/, 'must be a version such as `1.30.0`')
      .optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  })
  .refine(
    ({ executionMode, protocolVersion }) => executionMode !== 'kubewarden-wapc' || protocolVersion === 'v1',
    { path: ['protocolVersion'], message: 'must be `v1` for the execution mode `kubewarden-wapc`' },
  );

export type PolicyMetadata = z.output<typeof metadataSchema>;

/** `where` names the document in faults, which have a line for each problem. */
export function parsePolicyMetadata(value: unknown, where: string): PolicyMetadata | Fault {
  const parsed = metadataSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message, ...issue }) => {
    const text = issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys) : lower(message);
    return `${where}: ${path.length === 0 ? '' : `\`${path.join('.')}\` `}${text}`;
  });
  return new Fault('PC_INPUT', lines.join('\n'));
}

function unknownKeys(keys: readonly string[]): string {
  return `unknown key ${keys.map((key) => `\`${key}\``).join(', ')}`;
}

function lower(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
