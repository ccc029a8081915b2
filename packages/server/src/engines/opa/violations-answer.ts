import type { JsonValue, Verdict } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { isText, read, unreadable } from './opa-output.ts';

const NO_REMARKS = { warnings: [], auditAnnotations: {} };

/** An empty list allows; anything that is no list of objects is a fault. */
export function violationVerdict(result: JsonValue): Verdict | Fault {
  if (!Array.isArray(result)) {
    return unreadable('its result must be a list of violations; compile it with `violation` as entry point');
  }
  const messages: string[] = [];
  for (const violation of result as readonly JsonValue[]) {
    if (!isJsonObject(violation)) return unreadable('a violation in its result must be an object with `msg`');
    const message = read(violation, 'msg', isText, 'a string');
    if (isFault(message)) return message;
    messages.push(message || 'violated without a message');
  }
  // A set comes in the order of its hashes.
  messages.sort();
  if (messages.length === 0) return { outcome: 'allow', ...NO_REMARKS };
  const causes = messages.length === 1 ? [] : messages.map((message) => ({ field: '', message }));
  return { outcome: 'deny', message: messages.join(', '), causes, ...NO_REMARKS };
}
