import type { JsonObject } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';

const TYPE = 'cosign container image signature';

/** What a signed payload must say. */
export interface Expectation {
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Why the payload is not about this content with these annotations; undefined when it is
 * (https://github.com/containers/image/blob/main/docs/containers-signature.5.md). The reference in it is not compared: images move.
 */
export function payloadProblem(
  payload: Uint8Array,
  { digest, annotations }: Expectation,
): string | undefined {
  const parsed = parseJson(payload);
  if (isFault(parsed) || !isJsonObject(parsed)) return 'what was signed is no JSON object';
  const critical = member(parsed, 'critical');
  if (critical['type'] !== TYPE) return `what was signed is not of the type \`${TYPE}\``;
  if (member(critical, 'image')['docker-manifest-digest'] !== digest) {
    return 'what was signed is about another image';
  }
  const signed = member(parsed, 'optional');
  const missing = Object.entries(annotations).find(
    ([key, value]) => !Object.hasOwn(signed, key) || signed[key] !== value,
  );
  return missing === undefined ? undefined : `the annotation \`${missing[0]}\` is not signed with that value`;
}

function member(object: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isJsonObject(value) ? value : {};
}
