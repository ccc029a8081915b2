import type { Cause, JsonObject, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';

/** ValidationOutput with null read as absent, plus the two keys of a mutation. */
export interface PluginOutput {
  readonly allowed: boolean;
  readonly message?: string;
  readonly reason?: string;
  readonly errors: readonly Cause[];
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly mutatedObject?: JsonValue;
  readonly patch?: JsonValue;
}

/** Unknown keys are ignored; a known key of a wrong type is a fault, never a guess. */
export function parsePluginOutput(bytes: Uint8Array): PluginOutput | Fault {
  const value = parseJson(bytes);
  if (isFault(value)) return unreadable(value.message);
  if (!isJsonObject(value)) return unreadable('not a JSON object');
  const { allowed, mutatedObject, patch } = value;
  if (typeof allowed !== 'boolean') return unreadable('`allowed` must be true or false');

  const message = optionalString(value, 'message');
  const reason = optionalString(value, 'reason');
  const errors = parseErrors(value['errors']);
  const warnings = parseWarnings(value['warnings']);
  const auditAnnotations = parseAnnotations(value['auditAnnotations']);
  for (const part of [message, reason, errors, warnings, auditAnnotations]) if (isFault(part)) return part;

  return {
    allowed,
    ...(message ? { message: message as string } : {}),
    ...(reason ? { reason: reason as string } : {}),
    errors: errors as readonly Cause[],
    warnings: warnings as readonly string[],
    auditAnnotations: auditAnnotations as Readonly<Record<string, string>>,
    ...(mutatedObject === undefined || mutatedObject === null ? {} : { mutatedObject }),
    ...(patch === undefined || patch === null ? {} : { patch }),
  };
}

function parseErrors(value: JsonValue | undefined): readonly Cause[] | Fault {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return unreadable('`errors` must be an array');
  const causes: Cause[] = [];
  for (const [index, error] of (value as readonly JsonValue[]).entries()) {
    if (!isJsonObject(error)) return unreadable(`\`errors[${index}]\` must be an object`);
    const { field, message, invalidValue } = error;
    if (typeof field !== 'string') return unreadable(`\`errors[${index}].field\` must be a string`);
    if (typeof message !== 'string') return unreadable(`\`errors[${index}].message\` must be a string`);
    // Older guides call the key `type`.
    const reason = error['errorType'] ?? error['type'];
    causes.push({
      field,
      message,
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(invalidValue === undefined ? {} : { value: invalidValue }),
    });
  }
  return causes;
}

function parseWarnings(value: JsonValue | undefined): readonly string[] | Fault {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    return unreadable('`warnings` must be an array of strings');
  }
  return value;
}

function parseAnnotations(value: JsonValue | undefined): Readonly<Record<string, string>> | Fault {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value) || !Object.values(value).every((item) => typeof item === 'string')) {
    return unreadable('`auditAnnotations` must be an object of strings');
  }
  return value as Readonly<Record<string, string>>;
}

function optionalString(object: JsonObject, key: string): string | undefined | Fault {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : unreadable(`\`${key}\` must be a string`);
}

function unreadable(why: string): Fault {
  return new Fault('PC_PLUGIN_OUTPUT', `Failed to parse plugin output: ${why}`);
}
