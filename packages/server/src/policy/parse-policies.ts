import type { Policy, PolicyException, PolicyOrigin } from '@portcullis/contract';
import { z } from 'zod';
import { Fault, isFault } from '../kernel/fault.ts';
import { CUSTOM_RESOURCES } from './custom-resources/custom-resources.ts';
import { describeKind } from './describe-policy.ts';
import { checkDocument, type DocumentPlace } from './document/document-problems.ts';
import { enclose, namespacedName } from './document/enclose.ts';
import { isSubdomain } from './document/names.ts';
import {
  namespacedGroupDocumentSchema,
  namespacedPolicyDocumentSchema,
} from './document/namespaced-document-schema.ts';
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

/** As {@link parseDocuments}, where only policies and groups of the whole server make sense: others are a fault. */
export function parsePolicies(text: string, origin: TextOrigin): readonly ParsedDocument[] {
  return parseDocuments(text, origin).map(({ result, ...rest }) => ({ ...rest, result: onlyPolicy(result) }));
}

function onlyPolicy(result: PolicyDocument | Fault): Policy | Fault {
  if (isFault(result)) return result;
  if (!isException(result) && result.metadata.namespace === undefined) return result;
  const given = isException(result) ? 'PolicyException' : describeKind(result);
  return new Fault(
    'PC_POLICY_VALUE',
    `${result.origin.location}: kind: must be \`Policy\` or \`PolicyGroup\` here, not \`${given}\``,
  );
}

export function noDocument({ location }: TextOrigin): Fault {
  return new Fault(
    'PC_POLICY_SYNTAX',
    `${location}: holds no document, remove the file or write a policy into it`,
  );
}

export function parseDocument(source: SourceDocument, origin: TextOrigin): ParsedDocument<PolicyDocument> {
  const { value } = source;
  const place = { location: origin.location, positionOf: source.positionOf };
  const kind = source.textAt(['kind']);
  const result = isFault(value) ? value : readDocument(kind, value, place, { ...origin, line: source.line });
  if (!isFault(result)) return { result };
  const name = nameIn(source, kind);
  return {
    result,
    ...(name === undefined ? {} : { name }),
    ...(kind === 'PolicyException' ? { kind: 'exception' } : {}),
  };
}

function nameIn(source: SourceDocument, kind: string | undefined): string | undefined {
  const name = source.textAt(['metadata', 'name']);
  if (name === undefined || !isSubdomain(name)) return undefined;
  if (!CUSTOM_RESOURCES.some((resource) => resource.kind === kind && resource.namespaced)) return name;
  const namespace = source.textAt(['metadata', 'namespace']);
  return namespace === undefined ? undefined : namespacedName(namespace, name);
}

type Read = (value: unknown, place: DocumentPlace, origin: PolicyOrigin) => PolicyDocument | Fault;

const READERS: ReadonlyMap<string, Read> = new Map([
  ['Policy', reader(policyDocumentSchema, toPolicy)],
  ['PolicyGroup', reader(groupDocumentSchema, toGroup)],
  ['PolicyException', reader(exceptionDocumentSchema, toException)],
  [
    'NamespacedPolicy',
    reader(namespacedPolicyDocumentSchema, (document, origin) =>
      enclose(toPolicy(document, origin), document.metadata.namespace),
    ),
  ],
  [
    'NamespacedPolicyGroup',
    reader(namespacedGroupDocumentSchema, (document, origin) => {
      const group = toGroup(document, origin);
      return isFault(group) ? group : enclose(group, document.metadata.namespace);
    }),
  ],
]);

function reader<S extends z.ZodType>(
  schema: S,
  convert: (document: z.output<S>, origin: PolicyOrigin) => PolicyDocument | Fault,
): Read {
  return (value, place, origin) => {
    const document = checkDocument(schema, value, place);
    return isFault(document) ? document : convert(document, origin);
  };
}

const knownKind = z.looseObject({ kind: z.enum([...READERS.keys()]) });

/** One document of any kind. PC_POLICY_KEY, PC_POLICY_VALUE, PC_POLICY_BASE64 or PC_POLICY_CONDITION when it is none. */
export function readDocument(
  kind: string | undefined,
  value: unknown,
  place: DocumentPlace,
  origin: PolicyOrigin,
): PolicyDocument | Fault {
  const read = READERS.get(kind ?? 'Policy');
  if (read !== undefined) return read(value, place, origin);
  const refused = checkDocument(knownKind, value, place);
  if (isFault(refused)) return refused;
  throw new TypeError(`a document of another kind than \`${kind}\``);
}
