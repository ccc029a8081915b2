import type { JsonObject, JsonValue } from '@portcullis/contract';
import { isJsonArray, isJsonObject, jsonEqual } from '../../kernel/json/json-equal.ts';

/** What must be there and nothing more: the webhooks in any order, and our labels among others. */
export function isInForce(live: JsonValue, wanted: JsonObject): boolean {
  if (!isJsonObject(live)) return false;
  const here = webhooksByName(live);
  const there = webhooksByName(wanted);
  if (here === undefined || there === undefined || here.size !== there.size) return false;
  for (const [name, webhook] of there) {
    const found = here.get(name);
    if (found === undefined || !jsonEqual(found, webhook)) return false;
  }
  return hasLabels(live, wanted);
}

/** Undefined when a name is missing or there twice. */
function webhooksByName({ webhooks }: JsonObject): Map<string, JsonObject> | undefined {
  const list = isJsonArray(webhooks) ? webhooks : [];
  const named = new Map<string, JsonObject>();
  for (const webhook of list) {
    const name = isJsonObject(webhook) ? webhook['name'] : undefined;
    if (!isJsonObject(webhook) || typeof name !== 'string') return undefined;
    named.set(name, webhook);
  }
  return named.size === list.length ? named : undefined;
}

function hasLabels(live: JsonObject, wanted: JsonObject): boolean {
  const labels = labelsOf(live);
  return Object.entries(labelsOf(wanted)).every(([key, value]) => labels[key] === value);
}

function labelsOf({ metadata }: JsonObject): JsonObject {
  const labels = isJsonObject(metadata) ? metadata['labels'] : undefined;
  return isJsonObject(labels) ? labels : {};
}
