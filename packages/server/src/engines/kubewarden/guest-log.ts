import type { JsonValue } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import type { LogLevel } from '../../kernel/ports.ts';
import type { KubewardenCall } from './kubewarden-call.ts';

/** `warning` is Kubewarden's word, `warn` what people write. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
};
const MAX_FIELDS = 16;

/** A line of text, at info. */
export function logText(call: KubewardenCall, line: Uint8Array): void {
  if (mayLog(call, 'info', line.length)) write(call, 'info', Buffer.from(line).toString('utf8').trimEnd());
}

/** `{level, message?, …fields}`; what is no such document is dropped. */
export function logEvent(call: KubewardenCall, payload: Uint8Array): void {
  if (!mayLog(call, undefined, payload.length)) return;
  const event = parseJson(payload);
  if (isFault(event) || !isJsonObject(event)) return;
  const { level: asked, message, ...rest } = event;
  const level = typeof asked === 'string' ? LEVELS[asked.toLowerCase()] : undefined;
  if (level === undefined || !call.log.log.enabled(level)) return;
  const fields = Object.entries(rest)
    .filter(([, value]) => isPlain(value))
    .slice(0, MAX_FIELDS);
  write(call, level, typeof message === 'string' ? message : '', Object.fromEntries(fields));
}

function mayLog({ log }: KubewardenCall, level: LogLevel | undefined, length: number): boolean {
  if (log.isQuiet || (level !== undefined && !log.log.enabled(level))) return false;
  log.left -= length;
  return log.left >= 0;
}

function write(call: KubewardenCall, level: LogLevel, message: string, fields: object = {}): void {
  call.log.log.log(level, message, { ...fields, target: 'policy_log', policy: call.policy });
}

function isPlain(value: JsonValue | undefined): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
