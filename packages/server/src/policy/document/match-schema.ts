import type { Operation } from '@portcullis/contract';
import { z } from 'zod';
import {
  filledText,
  labelKeySchema,
  labelValueSchema,
  namespaceGlobSchema,
  nonResourceUrlSchema,
  resourcePatternSchema,
} from './value-schemas.ts';

/** As for webhooks in Kubernetes. */
const MAX_CONDITIONS = 64;
/** Characters of one CEL expression: people write a few hundred. */
const MAX_EXPRESSION = 8192;

const labelRequirement = z
  .strictObject({
    key: labelKeySchema.describe('label key'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('how the label must stand to `values`'),
    values: z.array(labelValueSchema).default([]).describe('for `In` and `NotIn` at least one, else none'),
  })
  .superRefine(({ operator, values }, context) => {
    const needsValues = operator === 'In' || operator === 'NotIn';
    if (needsValues === values.length > 0) return;
    const message = needsValues
      ? `\`${operator}\` needs at least one value`
      : `\`${operator}\` takes no values`;
    context.addIssue({ code: 'custom', path: ['values'], message });
  });

const labelSelector = z.strictObject({
  matchLabels: z
    .record(z.string(), labelValueSchema)
    .default({})
    .superRefine((labels, context) => {
      for (const key of Object.keys(labels)) {
        const problem = labelKeySchema.safeParse(key).error?.issues[0];
        if (problem !== undefined)
          context.addIssue({ code: 'custom', path: [key], message: problem.message });
      }
    })
    .describe('labels that must be there with these values'),
  matchExpressions: z.array(labelRequirement).default([]).describe('requirements, all of which must hold'),
});

/** `*` says it all, so nothing may stand beside it. */
function wildcardAlone(what: string): z.ZodType<string[], string[]> {
  return z
    .array(z.string())
    .min(1)
    .superRefine((values, context) => {
      if (values.length > 1 && values.includes('*')) {
        context.addIssue({ code: 'custom', message: `\`*\` means every ${what} and must stand alone` });
      }
    });
}

export const resourceRule = z.strictObject({
  apiGroups: wildcardAlone('group').describe('API groups; `""` is the core group, `*` every group'),
  apiVersions: wildcardAlone('version').describe('API versions; `*` is every version'),
  resources: z
    .array(resourcePatternSchema)
    .min(1)
    .describe(
      'plural names: `pods`; `pods/exec` is a subresource, `pods/*` pods and all their subresources, `*` every resource without subresources, `*/scale` every scale subresource, `*/*` everything',
    ),
  scope: z
    .enum(['Cluster', 'Namespaced', '*'])
    .default('*')
    .describe(
      '`Namespaced` leaves out objects of the cluster, Namespace objects among them; `Cluster` takes only these',
    ),
  resourceNames: z.array(filledText).default([]).describe('names of objects; empty: every name'),
  operations: z
    .array(z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']))
    .min(1)
    .exactOptional()
    .describe('those of `match.operations` that this rule is for; default: all of them'),
});

export const expressionSchema = filledText.refine(
  (text) => text.length <= MAX_EXPRESSION,
  `must have at most ${MAX_EXPRESSION} characters`,
);

const condition = z.strictObject({
  name: filledText.describe('appears in messages; unique in the policy'),
  expression: expressionSchema.describe(
    'CEL over `object`, `oldObject` and `request`; must yield a boolean. At the gates `authentication` and `authorization` `request` is the spec of the review',
  ),
});

export const matchSchema = z.strictObject({
  operations: z
    .array(z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT', '*']))
    .default([])
    .transform((operations): Operation[] =>
      operations.includes('*') ? [] : operations.filter((operation) => operation !== '*'),
    )
    .describe('operations; empty or `*`: every operation'),
  resources: z
    .array(resourceRule)
    .default([])
    .describe(
      'rules as in Kubernetes webhooks, one of which must match; empty: every resource and subresource',
    ),
  namespaces: z
    .array(namespaceGlobSchema)
    .default([])
    .describe(
      'globs (`*`, `?`) of namespaces; empty or `*`: every namespace and objects of the cluster; otherwise of these only Namespace objects, by their own name',
    ),
  excludedNamespaces: z
    .array(namespaceGlobSchema)
    .default([])
    .describe(
      'globs of namespaces that are left out, their Namespace objects too; never other objects of the cluster',
    ),
  namespaceSelector: labelSelector
    .exactOptional()
    .describe(
      'labels of the namespace, for Namespace objects their own; objects of the cluster always match',
    ),
  objectSelector: labelSelector
    .exactOptional()
    .describe('labels of the object; matches when the old or the new object matches'),
  conditions: z
    .array(condition)
    .max(MAX_CONDITIONS)
    .default([])
    .superRefine((conditions, context) => {
      const names = new Set<string>();
      for (const [index, { name }] of conditions.entries()) {
        if (names.has(name)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: `there is another condition \`${name}\``,
          });
        }
        names.add(name);
      }
    })
    .describe('CEL conditions, all of which must be true'),
  verbs: z
    .array(filledText)
    .min(1)
    .exactOptional()
    .describe('gate `authorization`: `get`, `list`, …; default, and `*`: every verb'),
  nonResourceURLs: z
    .array(nonResourceUrlSchema)
    .min(1)
    .exactOptional()
    .describe(
      'gate `authorization`: paths such as `/healthz` or `/logs/*`; with `resources` too, either is enough',
    ),
  users: z
    .array(filledText)
    .min(1)
    .exactOptional()
    .describe('gate `authorization`: user names, `*` and `?` allowed; default: every user'),
  groups: z
    .array(filledText)
    .min(1)
    .exactOptional()
    .describe('gate `authorization`: groups, one of which the user must be in; default: any user'),
});
