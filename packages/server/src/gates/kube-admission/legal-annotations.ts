import { hash } from 'node:crypto';
import { remember } from '../../kernel/remember.ts';
import { toText } from '../single-line.ts';

/** Bounds of what one review may add to the audit log; characters. */
const MAX_VALUE = 4096;
const MAX_TOTAL = 32 * 1024;
const MAX_COUNT = 64;
/** Of a label name, which is what the API server demands of a key. */
const MAX_KEY = 63;
const HASH_LENGTH = 8;
const TRUNCATED = 'portcullis.truncated';

/** Audit annotations with keys that the API server accepts. Two keys stay two; the input has canonical `<policy>/<key>` ones. */
export function legalAnnotations(
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  // In a fixed order, so that a repeated call gives a key the same name: a second value for one key is refused.
  const keys = Object.keys(annotations).sort();
  if (keys.length === 0) return undefined;
  const legal = new Map<string, string>();
  let total = 0;
  for (const [index, key] of keys.entries()) {
    const value = toText(annotations[key] ?? '', MAX_VALUE);
    total += value.length + MAX_KEY;
    if (index === MAX_COUNT || total > MAX_TOTAL) {
      legal.set(TRUNCATED, `${keys.length - index} more annotations are not kept`);
      break;
    }
    legal.set(unusedKey(key, legal), value);
  }
  return Object.fromEntries(legal);
}

function unusedKey(key: string, used: ReadonlyMap<string, string>): string {
  const name = legalName(key);
  let candidate = name.length > MAX_KEY ? withHash(name, key, HASH_LENGTH) : name;
  for (let length = HASH_LENGTH; used.has(candidate) || candidate === TRUNCATED; length++) {
    candidate = withHash(name, key, length);
  }
  return candidate;
}

/** Of legal characters, but maybe too long. */
const legalName: (key: string) => string = remember(makeLegal, 1024);

function makeLegal(key: string): string {
  const slash = key.indexOf('/');
  const policy = key.slice(0, Math.max(slash, 0));
  const own = key.slice(slash + 1);
  const isPrefixed =
    policy !== '' && own.startsWith(policy) && /^(?:$|[^A-Za-z0-9])/.test(own.slice(policy.length));
  const full = policy === '' || isPrefixed ? own : `${policy}/${own}`;
  const name = trimEdges(full.slice(0, 1024).replaceAll(/[^-A-Za-z0-9_.]/g, '.'));
  return name === '' ? 'annotation' : name;
}

function withHash(name: string, key: string, length: number): string {
  const digest = hash('sha256', key.toWellFormed()).slice(0, length);
  return `${trimEdges(name.slice(0, MAX_KEY - 1 - digest.length))}-${digest}`;
}

function trimEdges(text: string): string {
  return text.replace(/^[^A-Za-z0-9]+/, '').replace(/[^A-Za-z0-9]+$/, '');
}
