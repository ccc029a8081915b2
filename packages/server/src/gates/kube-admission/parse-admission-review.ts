import type {
  GroupVersionKind,
  GroupVersionResource,
  JsonDocument,
  Operation,
  Review,
  UserInfo,
} from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { createJsonDocument } from '../../kernel/json/json-document.ts';
import { remember } from '../../kernel/remember.ts';
import { createRequestDocument } from './admission-request-document.ts';
import { parseUserInfo } from './parse-user-info.ts';
import {
  type AdmissionVersion,
  invalidRequest,
  isAdmissionVersion,
  MAX_UID_BYTES,
  type Member,
  ReviewReader,
} from './review-reader.ts';

/** Whether `apiVersion` and `kind` have to be there; what is there has to be right. */
export type Envelope = 'required' | 'optional';

export interface ParsedReview {
  readonly review: Review;
  readonly apiVersion: AdmissionVersion;
}

const OPERATIONS: ReadonlySet<string> = new Set([
  'CREATE',
  'UPDATE',
  'DELETE',
  'CONNECT',
] satisfies Operation[]);

/**
 * One AdmissionReview. Strings are decoded and checked here; object, oldObject and the request itself stay bytes. A fault's
 * data has `uid` and `apiVersion` as far as they are known, so that the refusal can be an answer to this very review.
 */
export function parseAdmissionReview(
  body: Uint8Array,
  deadline: number,
  envelope: Envelope = 'required',
): ParsedReview | Fault {
  if (body.length === 0) return new Fault('PC_REVIEW_EMPTY', 'the body is empty');
  const reader = new ReviewReader(body);
  const parsed = read(reader, deadline, envelope);
  if (!isFault(parsed)) return parsed;
  const identity = reader.identity();
  if (identity === undefined) return parsed;
  return new Fault(parsed.code, parsed.message, { data: { ...parsed.data, ...identity }, cause: parsed });
}

function read(reader: ReviewReader, deadline: number, envelope: Envelope): ParsedReview | Fault {
  if (reader.fault !== undefined) return reader.fault;
  const apiVersion = readEnvelope(reader, envelope);
  if (isFault(apiVersion)) return apiVersion;
  const operation = reader.required('operation');
  const uid = readUid(reader);
  const kind = readKind(reader);
  const resource = readResource(reader);
  const name = readName(reader);
  const namespace = reader.optional('namespace');
  const subresource = reader.optional('subResource');
  const user = readUser(reader);
  const dryRun = readFlag(reader, 'dryRun');
  const object = readObject(reader, 'object');
  const oldObject = readObject(reader, 'oldObject');
  // One wrong field makes the whole review unusable: whichever is found first is told.
  if (reader.problem !== undefined) return reader.problem;
  if (!OPERATIONS.has(operation))
    return invalidRequest('`request.operation` must be CREATE, UPDATE, DELETE or CONNECT');
  const review: Review = {
    gate: 'admission',
    uid,
    operation: operation as Operation,
    kind,
    resource,
    subresource,
    name,
    namespace,
    user,
    dryRun,
    request: readRequest(reader),
    deadline,
    ...(object === undefined ? {} : { object }),
    ...(oldObject === undefined ? {} : { oldObject }),
  };
  return { review, apiVersion };
}

function readEnvelope(reader: ReviewReader, envelope: Envelope): AdmissionVersion | Fault {
  const isUnsaid = (member: Member): boolean => envelope === 'optional' && reader.slice(member) === undefined;
  if (firstByte(reader.body) !== OPEN_OBJECT) {
    return new Fault('PC_REVIEW_KIND', 'the body must be a JSON object of kind `AdmissionReview`');
  }
  if (!isUnsaid('kind') && reader.text('kind') !== 'AdmissionReview') {
    return new Fault(
      'PC_REVIEW_KIND',
      `the body has ${reader.shown('kind')}; it must be an \`AdmissionReview\``,
    );
  }
  const version = isUnsaid('apiVersion') ? 'admission.k8s.io/v1' : reader.text('apiVersion');
  if (!isAdmissionVersion(version)) {
    return new Fault(
      'PC_REVIEW_VERSION',
      `the review has ${reader.shown('apiVersion')}; it must be \`admission.k8s.io/v1\` or \`v1beta1\``,
    );
  }
  if (reader.first('request') !== OPEN_OBJECT) return invalidRequest('`request` is missing or not an object');
  return version;
}

function firstByte(body: Uint8Array): number | undefined {
  let at = 0;
  while ((body[at] as number) <= 0x20) at++;
  return body[at];
}

function readUid(reader: ReviewReader): string {
  const uid = reader.required('uid');
  if (reader.length('uid') > MAX_UID_BYTES)
    reader.fail('request.uid', `has more than ${MAX_UID_BYTES} bytes`);
  return uid;
}

function readKind(reader: ReviewReader): GroupVersionKind {
  return {
    group: reader.optional('kindGroup'),
    version: reader.required('kindVersion'),
    kind: reader.required('kindKind'),
  };
}

function readResource(reader: ReviewReader): GroupVersionResource {
  return {
    group: reader.optional('resourceGroup'),
    version: reader.required('resourceVersion'),
    resource: reader.required('resourceResource'),
  };
}

/** Deletion of a collection names no object; its name would otherwise slip past every rule about names. */
function readName(reader: ReviewReader): string {
  const name = reader.optional('name');
  return name === '' && reader.text('operation') === 'DELETE' ? (reader.text('oldObjectName') ?? '') : name;
}

/** A cluster has few users that write much: controllers, and the pipelines of people. */
const readUserInfo: (text: string) => UserInfo | Fault = remember(
  (text) => parseUserInfo(JSON.parse(text)),
  256,
);

function readUser(reader: ReviewReader): UserInfo {
  const text = reader.raw('userInfo');
  const user = text === undefined ? parseUserInfo(undefined) : readUserInfo(text);
  if (!isFault(user)) return user;
  reader.problem ??= user;
  return { username: '', groups: [], extra: {} };
}

function readFlag(reader: ReviewReader, member: Member): boolean {
  const text = reader.raw(member) ?? 'false';
  if (text !== 'true' && text !== 'false') reader.fail(`request.${member}`, 'must be true or false');
  return text === 'true';
}

function readObject(reader: ReviewReader, member: 'object' | 'oldObject'): JsonDocument | undefined {
  const bytes = reader.slice(member);
  if (bytes === undefined) return undefined;
  if (bytes[0] !== OPEN_OBJECT) reader.fail(`request.${member}`, 'must be an object or null');
  return createJsonDocument(bytes, reader.hasLongNumber);
}

function readRequest(reader: ReviewReader): JsonDocument {
  const { start, end } = reader.range('request');
  const bytes = reader.body.subarray(start, end);
  const object = reader.range('object');
  if (object.start === -1) return createJsonDocument(bytes, reader.hasLongNumber);
  return createRequestDocument(
    bytes,
    { start: object.start - start, end: object.end - start },
    reader.hasLongNumber,
  );
}

const OPEN_OBJECT = 0x7b;
