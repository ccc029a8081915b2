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

const HEAD = Buffer.from('{"request":');
const LETTER_N = 0x6e;

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
  const pieces: Uint8Array[] = [];
  let text = '';

  function write(fields: Fields, prefix: string): void {
    let separator = '{';
    for (const [key, inner] of Object.entries(fields)) {
      const path = `${prefix}${key}`;
      const slot = SHAPE.slots[path] as number;
      const [start = -1, end = -1] = [ranges[slot], ranges[slot + 1]];
      if (start === -1 || bytes[start] === LETTER_N) continue;
      text += `${separator}"${key}":`;
      separator = ',';
      if (inner === true) {
        pieces.push(Buffer.from(text), bytes.subarray(start, end));
        text = '';
      } else write(inner, `${path}/`);
    }
    text += separator === '{' ? '{}' : '}';
  }

  write(REQUEST, '');
  return Buffer.concat([...pieces, Buffer.from(text)]);
}
