import { Fault } from '../../kernel/fault.ts';
import { createJsonShape } from '../../kernel/json/json-shape.ts';
import { createJsonScanner } from '../../kernel/json/scan-json.ts';

export type AdmissionVersion = 'admission.k8s.io/v1' | 'admission.k8s.io/v1beta1';

/** UTF-8 bytes, quotes and escapes included: a uid is 36 characters, and it is echoed and logged. */
export const MAX_UID_BYTES = 1024;

const SHAPE = createJsonShape({
  apiVersion: 'apiVersion',
  kind: 'kind',
  request: 'request',
  uid: 'request/uid',
  operation: 'request/operation',
  name: 'request/name',
  namespace: 'request/namespace',
  subResource: 'request/subResource',
  dryRun: 'request/dryRun',
  userInfo: 'request/userInfo',
  object: 'request/object',
  oldObject: 'request/oldObject',
  oldObjectName: 'request/oldObject/metadata/name',
  kindGroup: 'request/kind/group',
  kindVersion: 'request/kind/version',
  kindKind: 'request/kind/kind',
  resourceGroup: 'request/resource/group',
  resourceVersion: 'request/resource/version',
  resourceResource: 'request/resource/resource',
});
export type Member = keyof typeof SHAPE.slots;

const scanner = createJsonScanner(SHAPE);
const VERSIONS: ReadonlySet<string> = new Set([
  'admission.k8s.io/v1',
  'admission.k8s.io/v1beta1',
] satisfies AdmissionVersion[]);

export function isAdmissionVersion(version: string | undefined): version is AdmissionVersion {
  return version !== undefined && VERSIONS.has(version);
}

export function invalidRequest(message: string): Fault {
  return new Fault('PC_REVIEW_REQUEST', message);
}

const QUOTE = 0x22;
const LETTER_N = 0x6e;
const SHOWN_LENGTH = 64;
/** Bytes; the strings that are cut from a head keep it alive. */
const MAX_HEAD = 4096;

/** The members of one AdmissionReview, found in one pass; the first one that is wrong is kept as the problem. */
export class ReviewReader {
  readonly body: Buffer;
  readonly fault: Fault | undefined;
  readonly hasLongNumber: boolean;
  problem: Fault | undefined;
  readonly #ranges: readonly number[];
  readonly #head: string;

  constructor(body: Uint8Array) {
    const { fault, ranges, hasLongNumber } = scanner.scan(body);
    this.body = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.fault = fault;
    this.hasLongNumber = hasLongNumber;
    this.#ranges = ranges;
    this.#head = readHead(this.body, this.range('object').start);
  }

  range(member: Member): { readonly start: number; readonly end: number } {
    const slot = SHAPE.slots[member];
    return { start: this.#ranges[slot] as number, end: this.#ranges[slot + 1] as number };
  }

  length(member: Member): number {
    const { start, end } = this.range(member);
    return end - start;
  }

  /** First byte of the value; undefined when absent. */
  first(member: Member): number | undefined {
    return this.body[this.#ranges[SHAPE.slots[member]] as number];
  }

  /** A value as it is spelled; undefined when absent or null. */
  raw(member: Member): string | undefined {
    const first = this.first(member);
    if (first === undefined || first === LETTER_N) return undefined;
    const { start, end } = this.range(member);
    return end <= this.#head.length ? this.#head.slice(start, end) : this.body.toString('utf8', start, end);
  }

  /** Undefined when absent or null. */
  slice(member: Member): Buffer | undefined {
    const first = this.first(member);
    if (first === undefined || first === LETTER_N) return undefined;
    const { start, end } = this.range(member);
    return this.body.subarray(start, end);
  }

  /** Undefined unless the member is a string. */
  text(member: Member): string | undefined {
    if (this.first(member) !== QUOTE) return undefined;
    const raw = this.raw(member) as string;
    const text = raw.slice(1, -1);
    return text.includes('\\') ? (JSON.parse(raw) as string) : text;
  }

  required(member: Member): string {
    const text = this.text(member);
    if (text === undefined || text === '') this.fail(pathOf(member), 'must be a string that is not empty');
    return text ?? '';
  }

  /** Null and absence are `""`, as they are for the API server. */
  optional(member: Member): string {
    const text = this.text(member);
    if (text === undefined && this.slice(member) !== undefined) this.fail(pathOf(member), 'must be a string');
    return text ?? '';
  }

  fail(path: string, why: string): void {
    this.problem ??= invalidRequest(`\`${path}\` ${why}`);
  }

  /** A member for a message. */
  shown(member: Member): string {
    const text = this.text(member);
    if (text === undefined) return `no ${member}`;
    const cut = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH).toWellFormed()}…` : text;
    return `${member} \`${cut}\``;
  }

  /** What an answer has to echo, where it is known and sane. */
  identity(): { readonly uid: string; readonly apiVersion: AdmissionVersion } | undefined {
    const uid = this.text('uid');
    const apiVersion = this.text('apiVersion');
    if (uid === undefined || uid === '' || this.length('uid') > MAX_UID_BYTES) return undefined;
    return isAdmissionVersion(apiVersion) ? { uid, apiVersion } : undefined;
  }
}

/**
 * Everything before the object as one string, from which members are cut: cheaper than to decode each. `""` unless all of it is
 * ASCII, where a character stands at the offset of its byte; every longer sequence makes the text shorter than the bytes, but for
 * one that is cut at the end, where no member lies.
 */
function readHead(body: Buffer, object: number): string {
  const end = Math.min(object === -1 ? body.length : object, MAX_HEAD);
  const head = body.toString('utf8', 0, end);
  return head.length === end ? head : '';
}

function pathOf(member: Member): string {
  const part = /^(kind|resource)(Group|Version|Kind|Resource)$/.exec(member);
  return part === null ? `request.${member}` : `request.${part[1]}.${part[2]?.toLowerCase()}`;
}
