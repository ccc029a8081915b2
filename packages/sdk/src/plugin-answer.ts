import { isJsonObject, type JsonValue } from './json-value.ts';
import type { PluginRun } from './plugin-run.ts';

export interface PluginError {
  readonly field: string;
  readonly message: string;
  readonly errorType?: string;
  readonly invalidValue?: JsonValue;
}

/** What the server makes of a run: the failure policy decides about a fault, never about a denial. */
export interface PluginAnswer {
  readonly outcome: 'allow' | 'deny' | 'fault';
  readonly message: string | undefined;
  readonly reason: string | undefined;
  readonly errors: readonly PluginError[];
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** RFC 6902 operations of a mutating policy. */
  readonly patch: JsonValue | undefined;
  readonly mutatedObject: JsonValue | undefined;
}

const NOTHING: Omit<PluginAnswer, 'outcome' | 'message'> = {
  reason: undefined,
  errors: [],
  warnings: [],
  auditAnnotations: {},
  patch: undefined,
  mutatedObject: undefined,
};

/** The decision table of the ABI, row by row. */
export function judgeRun(run: PluginRun): PluginAnswer {
  if (run.code === undefined) return fault(`Plugin execution failed: ${run.trap}`);
  if (run.output === undefined || run.output.length === 0) {
    return run.code === 0 ? { ...NOTHING, outcome: 'allow', message: undefined } : returnedError(run.code);
  }
  const answer = parseOutput(run.output);
  return answer.outcome === 'allow' && run.code !== 0 ? returnedError(run.code) : answer;
}

function returnedError(code: number): PluginAnswer {
  const message = `Plugin returned error code: ${code}`;
  return { ...NOTHING, outcome: 'deny', message, reason: 'ValidationFailed' };
}

function fault(message: string): PluginAnswer {
  return { ...NOTHING, outcome: 'fault', message };
}

function parseOutput(bytes: Uint8Array): PluginAnswer {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return unreadable('not JSON');
  }
  if (!isJsonObject(value)) return unreadable('not a JSON object');
  if (typeof value['allowed'] !== 'boolean') return unreadable('`allowed` must be true or false');
  for (const [key, isValid, shape] of SHAPES) {
    if (!isValid(value[key] ?? null)) return unreadable(`\`${key}\` must be ${shape}`);
  }
  // Null reads as absent. The casts hold what the shapes have checked.
  const present = Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
  const { message, reason, errors, warnings, auditAnnotations, patch, mutatedObject } = present;
  return {
    ...NOTHING,
    outcome: value['allowed'] ? 'allow' : 'deny',
    message: message as string | undefined,
    reason: reason as string | undefined,
    ...(errors && { errors: errors as unknown as readonly PluginError[] }),
    ...(warnings && { warnings: warnings as readonly string[] }),
    ...(auditAnnotations && { auditAnnotations: auditAnnotations as Readonly<Record<string, string>> }),
    patch,
    mutatedObject,
  };
}

type Shape = readonly [key: string, isValid: (value: JsonValue) => boolean, shape: string];

const SHAPES: readonly Shape[] = [
  ['message', isText, 'a string'],
  ['reason', isText, 'a string'],
  ['errors', isErrorList, 'a list of objects with `field` and `message`'],
  ['warnings', isTextList, 'a list of strings'],
  ['auditAnnotations', isTextMap, 'an object of strings'],
];

function isText(value: JsonValue): boolean {
  return value === null || typeof value === 'string';
}

function isTextList(value: JsonValue): boolean {
  return value === null || (Array.isArray(value) && value.every((item) => typeof item === 'string'));
}

function isTextMap(value: JsonValue): boolean {
  return (
    value === null || (isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string'))
  );
}

function isErrorList(value: JsonValue): boolean {
  return value === null || (Array.isArray(value) && value.every(isPluginError));
}

function isPluginError(value: JsonValue): boolean {
  return isJsonObject(value) && typeof value['field'] === 'string' && typeof value['message'] === 'string';
}

function unreadable(why: string): PluginAnswer {
  return fault(`Failed to parse plugin output: ${why}`);
}
