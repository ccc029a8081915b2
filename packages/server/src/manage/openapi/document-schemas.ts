import { z } from 'zod';
import {
  namespacedGroupDocumentSchema,
  namespacedPolicyDocumentSchema,
} from '../../policy/document/namespaced-document-schema.ts';
import { groupDocumentSchema, policyDocumentSchema } from '../../policy/document/policy-document-schema.ts';

/** What may be sent: policies with a namespace are changed where they come from. */
const sentDocumentSchema = z.union([policyDocumentSchema, groupDocumentSchema]);

/** What is shown. */
export const shownDocumentSchema = z.union([
  policyDocumentSchema,
  groupDocumentSchema,
  namespacedPolicyDocumentSchema,
  namespacedGroupDocumentSchema,
]);

/** Schemas of documents by their names in the OpenAPI document. */
export const DOCUMENT_SCHEMAS = {
  PolicyDocument: policyDocumentSchema,
  PolicyGroupDocument: groupDocumentSchema,
  NamespacedPolicyDocument: namespacedPolicyDocumentSchema,
  NamespacedPolicyGroupDocument: namespacedGroupDocumentSchema,
  SentDocument: sentDocumentSchema,
  ShownDocument: shownDocumentSchema,
} as const;
