import type { Policy, PolicyException, PolicyOrigin } from '@portcullis/contract';
import type { z } from 'zod';
import { Fault, isFault } from '../kernel/fault.ts';
import { checkDocument, type DocumentPlace } from './document/document-problems.ts';
import { isSubdomain } from './document/names.ts';
import {
  exceptionDocumentSchema,
  groupDocumentSchema,
  policyDocumentSchema,
} from './document/policy-document-schema.ts';
import { readSourceDocuments, type SourceDocument } from './document/source-document.ts';
import { toException, toGroup, toPolicy } from './document/to-policy.ts';

/** What a document is about. */
export type PolicyDocument = Policy | PolicyException;

/** One document of a file: what it is about, or why that cannot be told. */
export interface ParsedDocument<T extends PolicyDocument = Policy> {
  readonly result: T | Fault;
  /** The policy's name when it could still be read out of a broken document. */
  readonly name?: string;
  /** What a broken document would be. */
  readonly kind?: 'exception';
  readonly warnings?: readonly string[];
}

/** Where a text came from; the line is found while it is parsed. */
export type TextOrigin = Omit<PolicyOrigin, 'line'>;

export function isException(document: PolicyDocument): document is PolicyException {
  return 'policies' in document.spec;
}

/**
 * The documents of a file in YAML (several with `---`) or JSON. A broken one is a fault with PC_POLICY_SYNTAX, PC_POLICY_KEY,
 * PC_POLICY_VALUE, PC_POLICY_CONDITION or PC_POLICY_BASE64 that names file, line, column and key; it does not take the others
 * down. A text without any document is one fault: a file that is being written is empty for a moment. Never throws.
 */
export function parseDocuments(text: string, origin: TextOrigin): readonly ParsedDocument<PolicyDocument>[] {
  const documents = readSourceDocuments(text, origin.location);
  if (documents.length === 0) return [{ result: noDocument(origin) }];
  return documents.map((document) => parseDocument(document, origin));
}

/** As {@link parseDocuments}, where only policies and groups make sense: an exception is a fault. */
export function parsePolicies(text: string, origin: TextOrigin): readonly ParsedDocument[] {
  return parseDocuments(text, origin).map(({ result, ...rest }) => ({ ...rest, result: onlyPolicy(result) }));
}

function onlyPolicy(result: PolicyDocument | Fault): Policy | Fault {
  if (isFault(result) || !isException(result)) return result;
  return new Fault(
    'PC_POLICY_VALUE',
    `${result.origin.location}: kind: must be \`Policy\` or \`PolicyGroup\` here, not \`PolicyException\``,
  );
}

export function noDocument({ location }: TextOrigin): Fault {
  return new Fault(
    'PC_POLICY_SYNTAX',
    `${location}: holds no document, remove the file or write a policy into it`,
  );
}

function parseDocument(source: SourceDocument, origin: TextOrigin): ParsedDocument<PolicyDocument> {
  const { value } = source;
  const place = { location: origin.location, positionOf: source.positionOf };
  const kind = source.textAt(['kind']);
  const result = isFault(value) ? value : readDocument(kind, value, place, { ...origin, line: source.line });
  if (!isFault(result)) return { result };
  const name = source.textAt(['metadata', 'name']);
  return {
    result,
    ...(name !== undefined && isSubdomain(name) ? { name } : {}),
    ...(kind === 'PolicyException' ? { kind: 'exception' } : {}),
  };
}

/** One document of any kind. PC_POLICY_KEY, PC_POLICY_VALUE, PC_POLICY_BASE64 or PC_POLICY_CONDITION when it is none. */
export function readDocument(
  kind: string | undefined,
  value: unknown,
  place: DocumentPlace,
  origin: PolicyOrigin,
): PolicyDocument | Fault {
  switch (kind) {
    case 'PolicyGroup':
      return read(groupDocumentSchema, toGroup);
    case 'PolicyException':
      return read(exceptionDocumentSchema, toException);
    default:
      return read(policyDocumentSchema, toPolicy);
  }

  function read<S extends z.ZodType>(
    schema: S,
    convert: (document: z.output<S>, origin: PolicyOrigin) => PolicyDocument | Fault,
  ): PolicyDocument | Fault {
    const document = checkDocument(schema, value, place);
    return isFault(document) ? document : convert(document, origin);
  }
}
