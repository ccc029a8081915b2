import type { JsonValue, Review } from '@portcullis/contract';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { createJsonShape } from '../../kernel/json/json-shape.ts';
import { createJsonScanner } from '../../kernel/json/scan-json.ts';
import type { KubewardenMetadata } from './kubewarden-metadata.ts';

/** `{"request": …, "settings": …}` in pieces. */
export type KubewardenInput = readonly Uint8Array[];

/** True: the value as it is spelled; else the members that go along. */
interface Fields {
  readonly [key: string]: true | Fields;
}

const KIND: Fields = { group: true, version: true, kind: true };
const RESOURCE: Fields = { group: true, version: true, resource: true };
/** What Kubewarden's guests know of an AdmissionRequest. */
const REQUEST: Fields = {
  uid: true,
  kind: KIND,
  resource: RESOURCE,
  subResource: true,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: true,
  name: true,
  namespace: true,
  operation: true,
  userInfo: { username: true, uid: true, groups: true, extra: true },
  object: true,
  oldObject: true,
  dryRun: true,
  options: true,
};

function pathsOf(fields: Fields, prefix = ''): readonly string[] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    const path = `${prefix}${key}`;
    return inner === true ? [path] : [path, ...pathsOf(inner, `${path}/`)];
  });
}

const SHAPE = createJsonShape(Object.fromEntries(pathsOf(REQUEST).map((path) => [path, path])));
const scanner = createJsonScanner(SHAPE);

interface Member {
  readonly slot: number;
  /** With its quotes and the colon. */
  readonly key: string;
  readonly inner: readonly Member[] | undefined;
}

function membersOf(fields: Fields, prefix = ''): readonly Member[] {
  return Object.entries(fields).map(([key, inner]) => ({
    slot: SHAPE.slots[`${prefix}${key}`] as number,
    key: `"${key}":`,
    inner: inner === true ? undefined : membersOf(inner, `${prefix}${key}/`),
  }));
}

const MEMBERS = membersOf(REQUEST);

const HEAD = Buffer.from('{"request":');
const LETTER_N = 0x6e;
const OPEN = 0x7b;
const COMMA = 0x2c;
const CLOSE = 0x7d;

/** The end of every input of one policy. */
export function inputTail(settings: JsonValue): Uint8Array {
  return Buffer.from(`,"settings":${settingsText(settings)}}`);
}

/** Settings that are not configured are `{}`. */
export function settingsText(settings: JsonValue): string {
  return stringifyExact(settings ?? {});
}

export function kubewardenInput(
  review: Review,
  tail: Uint8Array,
  policyType: KubewardenMetadata['policyType'],
): KubewardenInput {
  return [HEAD, policyType === 'raw' ? review.request.bytes : kubernetesRequest(review), tail];
}

/** Several policies judge the same review. */
const requests = new WeakMap<Review, Uint8Array>();

function kubernetesRequest(review: Review): Uint8Array {
  let request = requests.get(review);
  if (request === undefined) {
    request = writeRequest(review.request.bytes);
    requests.set(review, request);
  }
  return request;
}

/**
 * The request as typed guests can read it: nothing that they do not know, and nothing that is null, since many of them fail on a
 * null where a string or a map may stand. Values are the bytes that arrived.
 */
export function writeRequest(bytes: Uint8Array): Uint8Array {
  const { ranges } = scanner.scan(bytes);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // What is left out only makes it shorter.
  const target = Buffer.allocUnsafe(bytes.length);
  let at = 0;

  function write(members: readonly Member[]): void {
    const first = at;
    for (const { slot, key, inner } of members) {
      const start = ranges[slot] as number;
      if (start === -1 || source[start] === LETTER_N) continue;
      target[at] = at === first ? OPEN : COMMA;
      at++;
      at += target.write(key, at, 'latin1');
      if (inner === undefined) at += source.copy(target, at, start, ranges[slot + 1]);
      else write(inner);
    }
    if (at === first) target[at++] = OPEN;
    target[at++] = CLOSE;
  }

  write(MEMBERS);
  return target.subarray(0, at);
}
