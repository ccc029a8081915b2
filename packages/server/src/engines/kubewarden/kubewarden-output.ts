import type { JsonObject, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isJsonArray, isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';

/** A ValidationResponse with null read as absent. */
export interface KubewardenOutput {
  readonly accepted: boolean;
  readonly message?: string;
  /** 0 to 65535. */
  readonly code?: number;
  readonly mutatedObject?: JsonValue;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** Unknown keys are ignored; a known key of a wrong type is a fault, never a guess. */
export function parseOutput(bytes: Uint8Array): KubewardenOutput | Fault {
  const output = readObject(bytes);
  if (isFault(output)) return output;
  const accepted = read(output, 'accepted', isFlag, 'true or false');
  if (isFault(accepted)) return accepted;
  if (accepted === undefined) return unreadable('`accepted` is missing');
  const message = read(output, 'message', isText, 'a string');
  if (isFault(message)) return message;
  const code = read(output, 'code', isCode, 'an integer from 0 to 65535');
  if (isFault(code)) return code;
  const warnings = read(output, 'warnings', isTexts, 'an array of strings');
  if (isFault(warnings)) return warnings;
  const auditAnnotations = read(output, 'audit_annotations', isTextMap, 'an object of strings');
  if (isFault(auditAnnotations)) return auditAnnotations;
  const mutatedObject = output['mutated_object'] ?? undefined;
  return {
    accepted,
    ...(message === undefined ? {} : { message }),
    ...(code === undefined ? {} : { code }),
    ...(mutatedObject === undefined ? {} : { mutatedObject }),
    warnings: warnings ?? [],
    auditAnnotations: auditAnnotations ?? {},
  };
}

export interface SettingsOutput {
  readonly valid: boolean;
  readonly message?: string;
}

export function parseSettingsOutput(bytes: Uint8Array): SettingsOutput | Fault {
  const output = readObject(bytes);
  if (isFault(output)) return output;
  const valid = read(output, 'valid', isFlag, 'true or false');
  if (isFault(valid)) return valid;
  if (valid === undefined) return unreadable('`valid` is missing');
  const message = read(output, 'message', isText, 'a string');
  if (isFault(message)) return message;
  return { valid, ...(message === undefined ? {} : { message }) };
}

function readObject(bytes: Uint8Array): JsonObject | Fault {
  if (bytes.length === 0) return unreadable('it is empty');
  const output = parseJson(bytes);
  if (isFault(output)) return unreadable(output.message);
  return isJsonObject(output) ? output : unreadable('it is not a JSON object');
}

/** A member of the wanted type; null reads as absent. */
function read<T extends JsonValue>(
  object: JsonObject,
  key: string,
  is: (value: JsonValue) => value is T,
  what: string,
): T | undefined | Fault {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  if (value === undefined || value === null) return undefined;
  return is(value) ? value : unreadable(`\`${key}\` must be ${what}`);
}

function isText(value: JsonValue): value is string {
  return typeof value === 'string';
}

function isFlag(value: JsonValue): value is boolean {
  return typeof value === 'boolean';
}

function isCode(value: JsonValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff;
}

function isTexts(value: JsonValue): value is readonly string[] {
  return isJsonArray(value) && value.every(isText);
}

function isTextMap(value: JsonValue): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string');
}

export function unreadable(why: string): Fault {
  return new Fault('PC_KUBEWARDEN_OUTPUT', `Cannot deserialize policy validation response: ${why}`);
}
