import type { JsonValue, Policy, PolicyOrigin } from '@portcullis/contract';
import { Fault, isFault } from '../kernel/fault.ts';
import { checkDocument } from './document/document-problems.ts';
import { isSubdomain } from './document/names.ts';
import { policyDocumentSchema, type PolicyDocument } from './document/policy-document-schema.ts';
import { readSourceDocuments, type SourceDocument } from './document/source-document.ts';

/** One document of a file: the policy, or why it is none. */
export interface ParsedDocument {
  readonly result: Policy | Fault;
  /** The policy's name when it could still be read out of a broken document. */
  readonly name?: string;
  readonly warnings?: readonly string[];
}

/** Where a text came from; the line is found while it is parsed. */
export type TextOrigin = Omit<PolicyOrigin, 'line'>;

/**
 * The policies of a file in YAML (several documents with `---`) or JSON. A broken document is a fault with PC_POLICY_SYNTAX,
 * PC_POLICY_KEY, PC_POLICY_VALUE or PC_POLICY_BASE64 that names file, line, column and key; it does not take the others down.
 * A text without any document is one fault: a file that is being written is empty for a moment. Never throws.
 */
export function parsePolicies(text: string, origin: TextOrigin): readonly ParsedDocument[] {
  const documents = readSourceDocuments(text, origin.location);
  if (documents.length === 0) return [{ result: noDocument(origin) }];
  return documents.map((document) => parseDocument(document, origin));
}

export function noDocument({ location }: TextOrigin): Fault {
  return new Fault(
    'PC_POLICY_SYNTAX',
    `${location}: holds no document, remove the file or write a policy into it`,
  );
}

function parseDocument(source: SourceDocument, origin: TextOrigin): ParsedDocument {
  const result = readPolicy(source, origin);
  const name = isFault(result) ? source.textAt(['metadata', 'name']) : undefined;
  return name !== undefined && isSubdomain(name) ? { result, name } : { result };
}

function readPolicy(source: SourceDocument, origin: TextOrigin): Policy | Fault {
  const { value } = source;
  if (isFault(value)) return value;
  const unsupported = refuseGroup(source, origin);
  if (unsupported !== undefined) return unsupported;
  const document = checkDocument(policyDocumentSchema, value, {
    location: origin.location,
    positionOf: (path) => source.positionOf(path),
  });
  return isFault(document) ? document : toPolicy(document, { ...origin, line: source.line });
}

function refuseGroup(source: SourceDocument, { location }: TextOrigin): Fault | undefined {
  if (source.textAt(['kind']) !== 'PolicyGroup') return undefined;
  const { line, column } = source.positionOf(['kind']);
  return new Fault(
    'PC_POLICY_VALUE',
    `${location}:${line}:${column}: kind: \`PolicyGroup\` is not supported yet, write its members as policies of kind \`Policy\``,
    { data: { line, column, path: 'kind' } },
  );
}

function toPolicy({ metadata, spec }: PolicyDocument, origin: PolicyOrigin): Policy {
  const { timeout, memory, fuel } = spec.limits;
  return {
    metadata,
    spec: {
      ...spec,
      // It was read as a JsonValue, and the schema hands it through.
      settings: spec.settings as JsonValue,
      limits: { timeoutMs: timeout, memoryBytes: memory, fuel },
    },
    origin,
  };
}
