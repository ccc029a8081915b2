import { isIPv6 } from 'node:net';
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
  const host = parseHost(authority, scheme.toLowerCase());
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

interface Host {
  readonly hostname: string;
  readonly port: string;
}

/** What Go lets stand in a host; others cannot even be escaped, but for what is no ASCII. */
const NO_HOST = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}%]/u;
const NO_USER = /[^A-Za-z0-9._~!$&'()*+,;=:%@-]/;

function parseHost(authority: string, scheme: string): Host | undefined {
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(at, 0));
  if (NO_USER.test(user) || unescape(user) === undefined) return undefined;
  const host = authority.slice(at + 1);
  const bracket = host.lastIndexOf('[');
  if (bracket > 0) return undefined;
  if (bracket === 0) return parseLiteral(host);
  // Only of HTTP it is known that there is no more than one port.
  const isStrict = scheme === 'http' || scheme === 'https';
  const colon = isStrict ? host.indexOf(':') : host.lastIndexOf(':');
  const port = colon < 0 ? '' : host.slice(colon + 1);
  const hostname = unescapeHost(colon < 0 ? host : host.slice(0, colon));
  return hostname === undefined || /\D/.test(port) ? undefined : { hostname, port };
}

/** An address of IPv6 in brackets, maybe with its zone after an escaped percent sign. */
function parseLiteral(host: string): Host | undefined {
  const [, literal = '', port = ''] = /^\[(.*)\](?::(\d*))?$/.exec(host) ?? [];
  const zoneAt = literal.indexOf('%25');
  const address = unescapeHost(zoneAt < 0 ? literal : literal.slice(0, zoneAt));
  const zone = zoneAt < 0 ? '' : unescape(literal.slice(zoneAt));
  if (address === undefined || zone === undefined || zone === '%' || !isIPv6(address)) return undefined;
  return { hostname: address + zone, port };
}

function unescapeHost(host: string): string | undefined {
  return NO_HOST.test(host) || /%(?!25)[0-7]/.test(host) ? undefined : unescape(host);
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
