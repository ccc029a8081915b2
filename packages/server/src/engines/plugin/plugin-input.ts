import type { JsonValue, Review, UserInfo } from '@portcullis/contract';
import { stringifyExact } from '../../kernel/json/json-document.ts';

/** The ValidationInput of a review in pieces: the objects are the bytes that arrived, never parsed and written again. */
export interface PluginInput {
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
}

const OBJECT = Buffer.from(',"object":');
const OLD_OBJECT = Buffer.from(',"oldObject":');
const END = Buffer.from('}');

/** The end of every input of one policy: its settings, or nothing when it has none. */
export function inputTail(settings: JsonValue): Uint8Array {
  const isEmpty = settings === null || (typeof settings === 'object' && Object.keys(settings).length === 0);
  return isEmpty ? END : Buffer.from(`,"pluginConfig":${stringifyExact(settings)}}`);
}

/** Several policies judge the same review: what is alike is written once. */
const heads = new WeakMap<Review, Uint8Array>();

export function pluginInput(review: Review, tail: Uint8Array): PluginInput {
  let head = heads.get(review);
  if (head === undefined) {
    head = Buffer.from(inputHead(review));
    heads.set(review, head);
  }
  const pieces: Uint8Array[] = [head];
  let length = head.length + tail.length;
  if (review.object !== undefined) {
    pieces.push(OBJECT, review.object.bytes);
    length += OBJECT.length + review.object.bytes.length;
  }
  if (review.oldObject !== undefined) {
    pieces.push(OLD_OBJECT, review.oldObject.bytes);
    length += OLD_OBJECT.length + review.oldObject.bytes.length;
  }
  pieces.push(tail);
  return { pieces, length };
}

function inputHead(review: Review): string {
  return (
    `{"operation":"${review.operation}","namespace":${JSON.stringify(review.namespace)},` +
    `"name":${JSON.stringify(review.name)},"userInfo":${userText(review.user)},"context":{}`
  );
}

/** The gate gives the same user the same object. */
const users = new WeakMap<UserInfo, string>();

function userText(user: UserInfo): string {
  let text = users.get(user);
  if (text === undefined) {
    text = JSON.stringify(user);
    users.set(user, text);
  }
  return text;
}
