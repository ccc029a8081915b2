import { Fault } from '../kernel/fault.ts';
import { FAULTS } from '../kernel/faults/catalogue.ts';
import { createJsonShape } from '../kernel/json/json-shape.ts';
import { createJsonScanner } from '../kernel/json/scan-json.ts';
import { SpecReader } from './spec-reader.ts';

/** The forms of one kind of review that Kubernetes sends. */
export interface ReviewKind {
  readonly group: string;
  readonly kind: string;
}

export type ReviewVersion = 'v1' | 'v1beta1';

export interface ReviewDocument {
  readonly version: ReviewVersion;
  readonly spec: SpecReader;
}

const SHAPE = createJsonShape({ apiVersion: 'apiVersion', kind: 'kind', spec: 'spec' });
const scanner = createJsonScanner(SHAPE);
const OPEN_OBJECT = 0x7b;

/**
 * A TokenReview or SubjectAccessReview as it arrived: strict JSON, of which only the spec is taken. No fault quotes anything of it,
 * since whatever stands in it may be a token.
 */
export function readReviewDocument(body: Uint8Array, { group, kind }: ReviewKind): ReviewDocument | Fault {
  if (body.length === 0) return new Fault('PC_REVIEW_EMPTY', 'the body is empty');
  const { fault, ranges } = scanner.scan(body);
  if (fault !== undefined) return withoutQuotes(fault);
  const cut = (slot: number): Buffer => slice(body, ranges[slot] as number, ranges[slot + 1] as number);
  if (cut(SHAPE.slots.kind).toString() !== `"${kind}"`) {
    return new Fault('PC_REVIEW_KIND', `the body must be a JSON object of kind \`${kind}\``);
  }
  const version = versionOf(cut(SHAPE.slots.apiVersion).toString(), group);
  if (version === undefined) {
    return new Fault('PC_REVIEW_VERSION', `\`apiVersion\` must be \`${group}/v1\` or \`${group}/v1beta1\``);
  }
  const spec = cut(SHAPE.slots.spec);
  if (spec[0] !== OPEN_OBJECT) return new Fault('PC_REVIEW_SPEC', '`spec` is missing or not an object');
  return { version, spec: new SpecReader(JSON.parse(spec.toString()) as Readonly<Record<string, unknown>>) };
}

function versionOf(text: string, group: string): ReviewVersion | undefined {
  if (text === `"${group}/v1"`) return 'v1';
  return text === `"${group}/v1beta1"` ? 'v1beta1' : undefined;
}

/** Empty when absent. */
function slice(body: Uint8Array, start: number, end: number): Buffer {
  return start === -1 ? Buffer.alloc(0) : Buffer.from(body.buffer, body.byteOffset + start, end - start);
}

/** A key that stands twice is told by its place. */
function withoutQuotes({ code, data }: Fault): Fault {
  const { offset } = data;
  const place = typeof offset === 'number' ? ` at byte ${offset}` : '';
  return new Fault(code, `${FAULTS[code].meaning}${place}`);
}
