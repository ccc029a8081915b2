import type { JsonObject, JsonValue } from '@portcullis/contract';

/** Keywords that mean the same in a structural schema. */
const KEPT = [
  'type',
  'description',
  'enum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
] as const;

/**
 * JSON Schema as Kubernetes takes it in a custom resource definition: every node has a type, unknown keys are the API server's
 * business, and what it cannot express is left to the server, which reads the document again in full.
 */
export function toStructuralSchema(schema: JsonObject): JsonObject {
  const { description } = schema;
  const told = description === undefined ? {} : { description };
  if (Array.isArray(schema['anyOf']))
    return { ...alternatives(schema['anyOf'] as readonly JsonObject[]), ...told };
  if (Array.isArray(schema['type'])) return { ...told, 'x-kubernetes-int-or-string': true };
  if (schema['type'] === undefined) return { ...told, 'x-kubernetes-preserve-unknown-fields': true };

  const structural: Record<string, JsonValue> = {};
  for (const keyword of KEPT) {
    const value = schema[keyword];
    if (value !== undefined) structural[keyword] = value;
  }
  const { default: fallback, items, properties, required, additionalProperties } = schema;
  // Those of lists and mappings would be written into every stored object.
  if (fallback !== undefined && typeof fallback !== 'object') structural['default'] = fallback;
  if (isObject(items)) structural['items'] = toStructuralSchema(items);
  if (isObject(properties)) {
    structural['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [
        name,
        toStructuralSchema(property as JsonObject),
      ]),
    );
  } else if (isObject(additionalProperties)) {
    structural['additionalProperties'] = toStructuralSchema(additionalProperties);
  }
  if (required !== undefined) structural['required'] = required;
  return structural;
}

/** A size is written as a number or a text; a fixed word beside a text is a text. */
function alternatives(options: readonly JsonObject[]): JsonObject {
  const types = new Set(options.map(({ type }) => type));
  return types.size === 1
    ? { type: options[0]?.['type'] ?? 'string' }
    : { 'x-kubernetes-int-or-string': true };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
