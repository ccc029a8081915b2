import type { Review } from '@portcullis/contract';
import { Fault } from '../kernel/fault.ts';
import { createJsonShape } from '../kernel/json/json-shape.ts';
import { createJsonScanner } from '../kernel/json/scan-json.ts';

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

const LETTER_N = 0x6e;
const OPEN = 0x7b;
const COMMA = 0x2c;
const CLOSE = 0x7d;

/** Several policies judge the same review. */
const requests = new WeakMap<Review, Uint8Array | Fault>();

/** What policies for Kubewarden are asked about; any JSON as it is where it is no request of an API server. */
export function kubewardenRequest(review: Review): Uint8Array | Fault {
  if (review.isRaw === true) return review.request.bytes;
  let request = requests.get(review);
  if (request === undefined) {
    request = writeRequest(review.request.bytes);
    requests.set(review, request);
  }
  return request;
}

/**
 * The request as typed guests can read it: nothing that they do not know, and nothing that is null, since many of them fail on a
 * null where a string or a map may stand. Values are the bytes that arrived. PC_REVIEW_REQUEST where something stands in the place of
 * an object: without it the policy would be asked about less than was sent.
 */
export function writeRequest(bytes: Uint8Array): Uint8Array | Fault {
  const { fault, ranges } = scanner.scan(bytes);
  if (fault !== undefined) return fault;
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // What is left out only makes it shorter.
  const target = Buffer.allocUnsafe(bytes.length);
  let at = 0;
  let wrong: string | undefined = source[0] === OPEN ? undefined : 'it';

  function write(members: readonly Member[]): void {
    const first = at;
    for (const { slot, key, inner } of members) {
      const start = ranges[slot] as number;
      if (start === -1 || source[start] === LETTER_N) continue;
      if (inner !== undefined && source[start] !== OPEN) {
        wrong ??= `\`request.${key.slice(1, -2)}\``;
        continue;
      }
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
  if (wrong !== undefined)
    return new Fault('PC_REVIEW_REQUEST', `the request cannot be read: ${wrong} is no object`);
  return target.subarray(0, at);
}
