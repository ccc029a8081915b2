import type { ModuleReference } from '@portcullis/contract';
import { z } from 'zod';
import { namespacedGateProblems, reportProblems } from './gate-problems.ts';
import { groupDocumentSchema, policyDocumentSchema } from './policy-document-schema.ts';
import { namespaceSchema, show } from './value-schemas.ts';

const metadata = policyDocumentSchema.shape.metadata.extend({
  namespace: namespaceSchema.describe('the only one whose objects are judged'),
});

/** A policy that judges its own namespace only; its name is its namespace, `/`, and its own. */
export const namespacedPolicyDocumentSchema = z
  .strictObject({
    ...policyDocumentSchema.shape,
    kind: z.literal('NamespacedPolicy').describe('kind of the document'),
    metadata: metadata.describe('name, namespace and notes'),
  })
  .superRefine((document, context) => {
    refuseForeignCode(document.spec.module, ['spec', 'module'], document.metadata, context);
    refuseForeignRights(document.spec.capabilities, ['spec', 'capabilities'], context);
    reportProblems(namespacedGateProblems(document.spec), context, ['spec']);
  });

/** A group that judges its own namespace only. */
export const namespacedGroupDocumentSchema = z
  .strictObject({
    ...groupDocumentSchema.shape,
    kind: z.literal('NamespacedPolicyGroup').describe('kind of the document'),
    metadata: metadata.describe('name, namespace and notes'),
  })
  .superRefine((document, context) => {
    for (const [name, { module, capabilities }] of Object.entries(document.spec.members)) {
      const path = ['spec', 'members', name];
      refuseForeignCode(module, [...path, 'module'], document.metadata, context);
      refuseForeignRights(capabilities, [...path, 'capabilities'], context);
    }
  });

/** Who may write a policy in one namespace may not read the Secrets of another one by it. */
function refuseForeignCode(
  module: ModuleReference,
  path: readonly string[],
  { namespace }: { readonly namespace: string },
  context: z.RefinementCtx,
): void {
  for (const place of ['configMap', 'secret'] as const) {
    const other = module[place]?.namespace;
    if (other === undefined || other === namespace) continue;
    context.addIssue({
      code: 'custom',
      path: [...path, place, 'namespace'],
      message: `a namespaced policy takes its module from its own namespace, not from ${show(other)}`,
    });
  }
}

/** What needs nothing but the processor. */
const COMPUTED = 'crypto/';

/** The host asks clusters and registries with the rights of the server, and who writes a policy in one namespace has others. */
function refuseForeignRights(
  capabilities: readonly string[],
  path: readonly string[],
  context: z.RefinementCtx,
): void {
  const [foreign] = capabilities.filter((capability) => !capability.startsWith(COMPUTED));
  if (foreign === undefined) return;
  context.addIssue({
    code: 'custom',
    path: [...path],
    message: `a namespaced policy cannot be granted ${show(foreign)}, which works with the rights of the server; only \`${COMPUTED}*\``,
  });
}
