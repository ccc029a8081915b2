import { quoteGo } from '../../values/print-value.ts';
import { fail } from '../operands.ts';
import { parseUri } from '../uri.ts';

/** A `$ref` or `$id`, its parts as they are written in an address. */
export interface JsonReference {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

/** Scheme, authority, path, query, fragment: RFC 3986, appendix B. */
const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
/** What stands in an address without an escape. */
const UNSAFE = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%[\]]/gu;

export const NO_REFERENCE: JsonReference = { scheme: '', authority: '', path: '', query: '', fragment: '' };

/** Fails with Go's words when it is none. */
export function parseReference(text: string): JsonReference {
  const match = parseUri(text) === undefined ? null : PARTS.exec(text);
  if (match === null) return fail(`parse ${quoteGo(text)}: ${faultOf(text)}`);
  const [scheme = '', authority = '', path = '', query = '', fragment = ''] = match.slice(1);
  return {
    scheme: scheme.toLowerCase(),
    authority,
    path: escape(path),
    query,
    fragment: escape(fragment),
  };
}

export function referenceText({ scheme, authority, path, query, fragment }: JsonReference): string {
  const hasSlashes = authority !== '' || (scheme !== '' && path.startsWith('/'));
  const start = `${scheme === '' ? '' : `${scheme}:`}${hasSlashes ? `//${authority}` : ''}`;
  return `${start}${path}${query === '' ? '' : `?${query}`}${fragment === '' ? '' : `#${fragment}`}`;
}

/** Another place, named from this one: RFC 3986, section 5.2, as Go has it. */
export function resolveReference(base: JsonReference, other: JsonReference): JsonReference {
  if (other.scheme !== '' || other.authority !== '') {
    const isOpaque = other.authority === '' && !other.path.startsWith('/');
    return {
      ...other,
      scheme: other.scheme || base.scheme,
      path: isOpaque ? other.path : withoutDots(other.path),
    };
  }
  const { scheme, authority } = base;
  const isSame = other.path === '' && other.query === '';
  if (isSame && isOpaqueReference(base)) return { ...base, fragment: other.fragment };
  const path =
    other.path.startsWith('/') || other.path === ''
      ? other.path || base.path
      : base.path.slice(0, base.path.lastIndexOf('/') + 1) + other.path;
  const query = isSame ? base.query : other.query;
  return { scheme, authority, path: withoutDots(path), query, fragment: other.fragment };
}

function isOpaqueReference({ scheme, authority, path }: JsonReference): boolean {
  return scheme !== '' && authority === '' && !path.startsWith('/');
}

/** Whether it tells where to find a document, wherever it is written. */
export function isCanonical({ scheme, authority, path }: JsonReference): boolean {
  return scheme === 'file' ? path.startsWith('/') : scheme !== '' && authority !== '';
}

/** Steps of the JSON pointer in the fragment; none when there is no pointer in it. */
export function pointerOf({ fragment }: JsonReference): readonly string[] {
  const pointer = decodeURIComponentOf(fragment);
  return pointer.startsWith('/') ? pointer.slice(1).split('/') : [];
}

/** Go gives every path that it resolves a slash in front. */
function withoutDots(path: string): string {
  if (path === '') return '';
  const kept: string[] = [];
  const parts = path.replace(/^\//, '').split('/');
  for (const part of parts) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
  }
  const last = parts.at(-1);
  return `/${kept.join('/')}${(last === '.' || last === '..') && kept.length > 0 ? '/' : ''}`;
}

function escape(text: string): string {
  return text.toWellFormed().replace(UNSAFE, encodeURIComponent);
}

function decodeURIComponentOf(text: string): string {
  return text.replace(/(?:%[\da-fA-F]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
}

function faultOf(text: string): string {
  // eslint-disable-next-line no-control-regex -- controls are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) return 'net/url: invalid control character in URL';
  if (text.startsWith(':')) return 'missing protocol scheme';
  const escaped = /%(?![\da-fA-F]{2}).{0,2}/s.exec(text)?.[0];
  if (escaped !== undefined) return `invalid URL escape ${quoteGo(escaped)}`;
  if (/^[^/?#]*:/.test(text) && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text))
    return 'first path segment in URL cannot contain colon';
  return 'invalid URL';
}
