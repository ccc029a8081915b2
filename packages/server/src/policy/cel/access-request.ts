import type { JsonDocument, JsonObject, JsonValue, Review } from '@portcullis/contract';
import { isJsonArray, isJsonObject } from '../../kernel/json/json-equal.ts';
import { toCelValue, type CelValue } from './cel-value.ts';

const LOGIN: JsonObject = { audiences: [] };
const WISH: JsonObject = { user: '', uid: '', groups: [], extra: {} };
const RESOURCE: JsonObject = {
  namespace: '',
  verb: '',
  group: '',
  version: '',
  resource: '',
  subresource: '',
  name: '',
};
const PATH: JsonObject = { path: '', verb: '' };
const REQUIREMENT: JsonObject = { values: [] };

const views = new WeakMap<JsonDocument, CelValue>();

/**
 * The spec of a review of authentication or authorization, for expressions. As in the API server's own conditions what is empty is
 * there all the same (apiserver: pkg/authorization/cel), so that it can be compared: only one of the two kinds of attributes is not.
 */
export function accessRequest({ gate, request }: Review): CelValue {
  let view = views.get(request);
  if (view === undefined) {
    const spec = objectIn(request.value(), 'spec') ?? {};
    view = toCelValue(gate === 'authentication' ? { ...LOGIN, ...spec } : withEmpty(spec));
    views.set(request, view);
  }
  return view;
}

function withEmpty(spec: JsonObject): JsonObject {
  const resource = objectIn(spec, 'resourceAttributes');
  const path = objectIn(spec, 'nonResourceAttributes');
  return {
    ...WISH,
    ...spec,
    ...(resource === undefined ? {} : { resourceAttributes: attributes(resource) }),
    ...(path === undefined ? {} : { nonResourceAttributes: { ...PATH, ...path } }),
  };
}

function attributes(resource: JsonObject): JsonObject {
  const selectors: Record<string, JsonValue> = {};
  for (const key of ['fieldSelector', 'labelSelector']) {
    const requirements = objectIn(resource, key)?.['requirements'];
    if (isJsonArray(requirements)) selectors[key] = { requirements: requirements.map(withValues) };
  }
  return { ...RESOURCE, ...resource, ...selectors };
}

function withValues(requirement: JsonValue): JsonValue {
  return isJsonObject(requirement) ? { ...REQUIREMENT, ...requirement } : requirement;
}

function objectIn(value: JsonValue | undefined, key: string): JsonObject | undefined {
  const member = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isJsonObject(member) ? member : undefined;
}
