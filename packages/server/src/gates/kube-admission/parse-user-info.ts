import type { UserInfo } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';

/** `value` is parsed JSON. Null and absence are an unnamed user without groups, as the API server reads them. */
export function parseUserInfo(value: unknown): UserInfo | Fault {
  if (value === undefined || value === null) return { username: '', groups: [], extra: {} };
  if (!isRecord(value)) return invalid('must be an object');
  const { username, uid, groups, extra } = value;
  if (!isStringOrNone(username)) return invalid('has a `username` that is not a string');
  if (!isStringOrNone(uid)) return invalid('has a `uid` that is not a string');
  if (!isStringsOrNone(groups)) return invalid('has `groups` that are not strings');
  const attributes = parseExtra(extra ?? {});
  if (isFault(attributes)) return attributes;
  return {
    username: username ?? '',
    ...(typeof uid === 'string' ? { uid } : {}),
    groups: groups ?? [],
    extra: attributes,
  };
}

function parseExtra(value: unknown): UserInfo['extra'] | Fault {
  if (!isRecord(value)) return invalid('has an `extra` that is not an object');
  const entries: [string, readonly string[]][] = [];
  for (const [key, values] of Object.entries(value)) {
    if (!isStringsOrNone(values)) return invalid('has an `extra` whose values are not arrays of strings');
    entries.push([key, values ?? []]);
  }
  return Object.fromEntries(entries);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringOrNone(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === 'string';
}

function isStringsOrNone(value: unknown): value is readonly string[] | null | undefined {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function invalid(why: string): Fault {
  return new Fault('PC_REVIEW_REQUEST', `\`request.userInfo\` ${why}`);
}
