import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { JsonObject, JsonValue } from '@portcullis/contract';
import { parseAllDocuments, type Document } from 'yaml';
import { Fault, isFault } from '../../kernel/fault.ts';
import { createJsonDocument } from '../../kernel/json/json-document.ts';
import { attempt } from '../../kernel/result.ts';
import { reviewOfManifest, type RequestDetails } from './review-of-manifest.ts';

export type AccessGate = 'authentication' | 'authorization';

/** One thing to judge, ready for the gate. */
export interface ReviewInput {
  /** Whose protocol the review speaks. */
  readonly gate: 'admission' | AccessGate;
  /** For people: the file, and the document inside it when there are several. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** A file with an AdmissionReview, TokenReview or SubjectAccessReview, or with one or more manifests, in JSON or YAML; `-` is standard input. */
export async function readInputs(
  path: string,
  details: RequestDetails,
): Promise<readonly (ReviewInput | Fault)[]> {
  const shown = path === '-' ? 'standard input' : path;
  const bytes = await attempt('PC_INPUT', `cannot read \`${shown}\``, () =>
    path === '-' ? buffer(process.stdin) : readFile(path),
  );
  if (isFault(bytes)) return [bytes];
  const documents = readDocuments(bytes, shown);
  if (isFault(documents)) return [documents];
  if (documents.length === 0) return [new Fault('PC_INPUT', `\`${shown}\` holds no document`)];
  return documents
    .flatMap((value) => itemsOf(value))
    .map((value, index, all) => {
      const label = all.length === 1 ? shown : `${shown}#${index + 1}`;
      const gate = gateOfReview(value);
      const review =
        gate === undefined ? reviewOfManifest(value, details) : reviewBytes(value, bytes, all.length);
      return isFault(review)
        ? new Fault(review.code, `${label}: ${review.message}`)
        : { label, gate: gate ?? 'admission', bytes: review };
    });
}

/** A review in a file of its own reaches the gate as it stands, with whatever is wrong in it. */
function reviewBytes(value: JsonValue, bytes: Uint8Array, count: number): Uint8Array {
  const isJson = count === 1 && bytes[0] === '{'.charCodeAt(0);
  return isJson ? bytes : Buffer.from(JSON.stringify(value));
}

function readDocuments(bytes: Uint8Array, shown: string): readonly JsonValue[] | Fault {
  const text = Buffer.from(bytes).toString('utf8');
  if (text.trimStart().startsWith('{')) {
    try {
      return [createJsonDocument(bytes).value()];
    } catch (error) {
      return new Fault(
        'PC_INPUT',
        `\`${shown}\` is not well-formed JSON: ${error instanceof Error ? error.message : ''}`,
      );
    }
  }
  const values: JsonValue[] = [];
  for (const document of parseAllDocuments(text, { version: '1.1' })) {
    const [problem] = document.errors;
    if (problem !== undefined) return new Fault('PC_INPUT', `\`${shown}\`: ${problem.message}`);
    const value = valueOf(document, shown);
    if (isFault(value)) return value;
    if (value !== null) values.push(value);
  }
  return values;
}

/** The library throws for aliases that would make too much out of little. */
function valueOf(document: Document.Parsed, shown: string): JsonValue | Fault {
  try {
    return document.toJS() as JsonValue;
  } catch (error) {
    return new Fault('PC_INPUT', `\`${shown}\`: ${error instanceof Error ? error.message : ''}`);
  }
}

/** `kubectl get -o yaml` writes a List. */
function itemsOf(value: JsonValue): readonly JsonValue[] {
  const items = isObject(value) && value['kind'] === 'List' ? value['items'] : undefined;
  return Array.isArray(items) ? (items as readonly JsonValue[]) : [value];
}

/** Kinds that are reviews of ours, and the group that tells them from manifests of somebody else's. */
const REVIEWS: ReadonlyMap<unknown, readonly [ReviewInput['gate'], string]> = new Map([
  ['AdmissionReview', ['admission', '']],
  ['TokenReview', ['authentication', 'authentication.k8s.io/']],
  ['SubjectAccessReview', ['authorization', 'authorization.k8s.io/']],
]);

/** Undefined for a manifest. */
function gateOfReview(value: JsonValue): ReviewInput['gate'] | undefined {
  const [gate, group] = (isObject(value) ? REVIEWS.get(value['kind']) : undefined) ?? [];
  if (gate === undefined || group === undefined || !isObject(value)) return undefined;
  const { apiVersion } = value;
  const isOurs = group === '' || (typeof apiVersion === 'string' && apiVersion.startsWith(group));
  return isOurs ? gate : undefined;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
