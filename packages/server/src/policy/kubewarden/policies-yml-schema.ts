import { z } from 'zod';
import { isFault } from '../../kernel/fault.ts';
import { isRawNumber } from '../../kernel/json/exact-json.ts';
import { filledText } from '../document/value-schemas.ts';
import { parseModuleAddress } from './module-address.ts';

/** Of a group; each is an evaluation in one review. */
const MAX_MEMBERS = 32;

const address = z.string().transform((text, context) => {
  const module = parseModuleAddress(text);
  if (!isFault(module)) return module;
  context.issues.push({ code: 'custom', message: module.message, input: text });
  return z.NEVER;
});

/** A mapping with keys that we do not know: the policy-server passes over them, so they are told and no error. */
function lenient<S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$loose> {
  return z.looseObject(shape);
}

const settings = z.unknown().superRefine((value, context) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)) return;
  context.addIssue({ code: 'custom', message: 'must be a mapping of keys' });
});

export const readableKind = lenient({
  apiVersion: filledText.describe('group and version, `v1` for the core group'),
  kind: filledText.describe('kind, as objects spell it'),
});

const program = {
  module: address.describe('`registry://…`, `https://…`, `file://…`; without a scheme in a registry'),
  settings: settings.default({}).describe('reaches the policy as it is; absent: `{}`'),
  contextAwareResources: z.array(readableKind).default([]).describe('kinds that it may read'),
  hostCapabilities: z.array(filledText).default([]).describe('what it may ask of the host; empty: nothing'),
  timeoutEvalSeconds: z.number().int().min(1).exactOptional().describe('seconds of one evaluation'),
};

const effect = {
  policyMode: z.enum(['protect', 'monitor']).default('protect').describe('`monitor` never denies'),
};

/** One policy of the file. */
export const kubewardenPolicySchema = lenient({
  ...program,
  ...effect,
  allowedToMutate: z.boolean().default(false).describe('false: a change is a denial'),
  message: z.string().exactOptional().describe('what the client sees of a denial'),
});

/** One group of the file. */
export const kubewardenGroupSchema = lenient({
  ...effect,
  expression: filledText.describe('boolean expression over calls of members'),
  message: filledText.describe('what the client sees when the expression is false'),
  policies: z.record(z.string(), lenient(program)).superRefine((members, context) => {
    const count = Object.keys(members).length;
    if (count === 0 || count > MAX_MEMBERS)
      context.addIssue({ code: 'custom', message: `must have 1 to ${MAX_MEMBERS} members, not ${count}` });
    for (const name of Object.keys(members)) {
      const problem = nameProblem(name);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  }),
});

export type KubewardenPolicyEntry = z.output<typeof kubewardenPolicySchema>;
export type KubewardenGroupEntry = z.output<typeof kubewardenGroupSchema>;
export type KubewardenProgram = KubewardenGroupEntry['policies'][string];

/** What is wrong with the id of a policy or the name of a member; it is part of a path, and of log lines. */
export function nameProblem(name: string): string | undefined {
  if (name.includes('/')) return 'the name must not contain `/`';
  if (name === '' || name.length > 253 || /\p{Cc}/u.test(name) || !name.isWellFormed())
    return 'the name must have 1 to 253 printable characters';
  return undefined;
}
