import type { JsonObject, JsonValue } from '@portcullis/contract';
import { z } from 'zod';
import {
  exceptionDocumentSchema,
  groupDocumentSchema,
  policyDocumentSchema,
} from '../document/policy-document-schema.ts';
import {
  CUSTOM_RESOURCE_GROUP,
  CUSTOM_RESOURCE_VERSION,
  CUSTOM_RESOURCES,
  type CustomResource,
} from './custom-resources.ts';
import { toStructuralSchema } from './structural-schema.ts';

const DOCUMENTS = {
  Policy: policyDocumentSchema,
  PolicyGroup: groupDocumentSchema,
  PolicyException: exceptionDocumentSchema,
} as const;

const MEANINGS = {
  Policy: 'One rule about what may enter: which requests it judges, what runs, and what its verdict means.',
  PolicyGroup: 'Validating policies of which one expression makes one verdict.',
  PolicyException: 'What some policies may not deny, and until when.',
} as const;

/** The CustomResourceDefinitions of every kind, made from the schemas that documents are read with. */
export function describeDefinitions(): readonly JsonObject[] {
  return CUSTOM_RESOURCES.map(describeDefinition);
}

function describeDefinition(resource: CustomResource): JsonObject {
  const { kind, plural, singular, shortNames, namespaced, document } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${CUSTOM_RESOURCE_GROUP}`,
      labels: { 'app.kubernetes.io/name': 'portcullis' },
    },
    spec: {
      group: CUSTOM_RESOURCE_GROUP,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ['portcullis'] },
      versions: [
        {
          name: CUSTOM_RESOURCE_VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columnsOf(document),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: describeKind(resource),
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: specOf(document),
                status: document === 'PolicyException' ? EXCEPTION_STATUS : POLICY_STATUS,
              },
            },
          },
        },
      ],
    },
  };
}

function describeKind({ namespaced, document }: CustomResource): string {
  const own = namespaced ? ' It judges objects of its own namespace only.' : '';
  return `${MEANINGS[document]}${own}`;
}

function specOf(document: CustomResource['document']): JsonValue {
  const schema = z.toJSONSchema(DOCUMENTS[document], {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  return toStructuralSchema(schema.properties?.['spec'] as JsonObject);
}

const text = (description: string): JsonObject => ({ type: 'string', description });
const time = (description: string): JsonObject => ({ type: 'string', format: 'date-time', description });
const whole = (description: string): JsonObject => ({ type: 'integer', format: 'int64', description });

const CONDITIONS: JsonObject = {
  type: 'array',
  description: 'how it stands',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      type: text('`Loaded`, `Serving`; of an exception `Active`'),
      status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'whether it holds' },
      reason: text('one word for machines'),
      message: text('what to know and what to do'),
      observedGeneration: whole('generation of the spec that this is about'),
      lastTransitionTime: time('when the status last changed'),
    },
  },
};

const POLICY_STATUS: JsonObject = {
  type: 'object',
  description: 'what the server made of it',
  properties: {
    observedGeneration: whole('generation of the spec that this is about'),
    conditions: CONDITIONS,
    engine: text('what runs the module'),
    digest: text('SHA-256 of the module, hex'),
    moduleBytes: whole('size of the module'),
    warnings: {
      type: 'array',
      items: { type: 'string' },
      description: 'what is odd, yet no reason to refuse it',
    },
    lastFaults: {
      type: 'array',
      description: 'the newest evaluations without an answer',
      items: {
        type: 'object',
        required: ['time', 'code', 'message'],
        properties: { time: time('when'), code: text('code of the fault'), message: text('what happened') },
      },
    },
  },
};

const EXCEPTION_STATUS: JsonObject = {
  type: 'object',
  description: 'what the server made of it',
  properties: {
    observedGeneration: whole('generation of the spec that this is about'),
    conditions: CONDITIONS,
  },
};

function columnsOf(document: CustomResource['document']): readonly JsonObject[] {
  const column = (name: string, jsonPath: string, more: JsonObject = {}): JsonObject => ({
    name,
    type: 'string',
    jsonPath,
    ...more,
  });
  const condition = (type: string, field: string): string =>
    `.status.conditions[?(@.type=="${type}")].${field}`;
  const age = column('Age', '.metadata.creationTimestamp', { type: 'date' });
  const wide = { priority: 1 };
  if (document === 'PolicyException') {
    return [
      column('Policies', '.spec.policies'),
      column('Expires', '.spec.expires'),
      column('Active', condition('Active', 'status')),
      column('Reason', '.spec.reason', wide),
      age,
    ];
  }
  return [
    ...(document === 'Policy' ? [column('Phase', '.spec.phase')] : []),
    column('Mode', '.spec.mode'),
    column('Loaded', condition('Loaded', 'status')),
    column('Serving', condition('Serving', 'status')),
    column('Why', condition('Loaded', 'reason')),
    column('Message', condition('Loaded', 'message'), wide),
    age,
  ];
}
