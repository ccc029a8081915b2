import type { RegoValue } from '../values/rego-value.ts';

const MAX_LENGTH = 64 * 1024;
/** Scheme, authority, path, query, fragment: RFC 3986, appendix B. */
const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

/** The parts that Go's url.Parse finds; undefined when it finds fault. */
export function parseUri(text: string): ReadonlyMap<RegoValue, RegoValue> | undefined {
  const match = text.length > MAX_LENGTH || hasControls(text) ? null : PARTS.exec(text);
  if (match === null) return undefined;
  const all = match.slice(1).map((part: string | undefined) => part ?? '');
  const [scheme, authority, wholePath, query, rawFragment] = all as [string, string, string, string, string];
  // `mailto:a@b` has no hierarchy, and no path either.
  const isOpaque = scheme !== '' && authority === '' && !wholePath.startsWith('/');
  const rawPath = isOpaque ? '' : wholePath;
  if (scheme === '' && hasColonFirst(rawPath)) return undefined;
  const host = parseHost(authority);
  const path = unescape(rawPath);
  return members([
    ['scheme', scheme.toLowerCase()],
    ['hostname', host?.hostname],
    ['port', host?.port],
    ['path', path],
    // As Go has it: where its own way to write the path is this one, the path itself.
    ['raw_path', path !== undefined && escapePath(path) === rawPath ? path : rawPath],
    ['raw_query', query],
    ['fragment', unescape(rawFragment)],
  ]);
}

type Parts = readonly (readonly [name: string, value: string | undefined])[];

/** Those that are there; nothing when one could not be read. */
function members(parts: Parts): ReadonlyMap<RegoValue, RegoValue> | undefined {
  const found = new Map<RegoValue, RegoValue>();
  for (const [name, value] of parts) {
    if (value === undefined) return undefined;
    if (value !== '') found.set(name, value);
  }
  return found;
}

function hasControls(text: string): boolean {
  return Array.from(text).some((character) => character < ' ' || character === '\x7f');
}

/** `a:b/c` without a scheme that is one. */
function hasColonFirst(path: string): boolean {
  return !path.startsWith('/') && path.split('/')[0]?.includes(':') === true;
}

function parseHost(authority: string): { readonly hostname: string; readonly port: string } | undefined {
  const at = authority.lastIndexOf('@');
  if (/[^A-Za-z0-9._~!$&'()*+,;=:%-]/.test(authority.slice(0, Math.max(at, 0)))) return undefined;
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(authority.slice(at + 1));
  const hostname = unescape(match?.[1] ?? '');
  if (match === null || hostname === undefined || /[ "<>\\^`{|}]/.test(hostname)) return undefined;
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: match[2] ?? '' };
}

function unescape(text: string): string | undefined {
  if (/%(?![\da-fA-F]{2})/.test(text)) return undefined;
  return text.replace(/(?:%[\da-fA-F]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
}

function escapePath(path: string): string {
  return encodeURIComponent(path.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(?:24|26|2B|2C|2F|3A|3B|3D|40)/g, decodeURIComponent);
}
