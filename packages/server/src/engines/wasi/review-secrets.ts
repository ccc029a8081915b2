import type { JsonValue, Review } from '@portcullis/contract';
import { isJsonObject } from '../../kernel/json/json-equal.ts';

/** Whether what a guest prints of its request could be a token or the content of a Secret. */
export function holdsSecret({ gate, resource }: Review): boolean {
  return gate === 'authentication' || (resource.group === '' && resource.resource === 'secrets');
}

/** A text of a guest's without the token that it was asked about. */
export function withoutToken(text: string, review: Review): string {
  if (review.gate !== 'authentication') return text;
  const token = memberOf(memberOf(review.request.value(), 'spec'), 'token');
  return typeof token === 'string' && token !== '' ? text.replaceAll(token, '[redacted]') : text;
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
