import { Secret } from '../../kernel/secret.ts';
import { cut } from '../cut.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Keys whose value nobody needs to see in a log. */
const SECRET_KEY = /token|passw|secret|authorization|cookie|credential|private.?key|api.?key/i;
const REDACTED = '[redacted]';
/** Fields are meant to be flat; what is deeper is dropped. */
const MAX_DEPTH = 4;
const MAX_ITEMS = 100;

/** Fields as they may be written: secrets redacted, texts cut, depth and length bounded, nothing that JSON cannot hold. */
export function safeFields(fields: Fields): Fields {
  return safeMembers(fields, 0);
}

function safeMembers(fields: object, depth: number): Fields {
  const entries = Object.entries(fields).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, SECRET_KEY.test(key) ? REDACTED : safeValue(value, depth + 1)]),
  );
}

function safeValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'bigint') return cut(String(value));
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (value instanceof Secret) return REDACTED;
  if (value instanceof Error) return cut(`${value.name}: ${value.message}`);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= MAX_DEPTH) return '[…]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => safeValue(item, depth + 1));
  return safeMembers(value, depth);
}
