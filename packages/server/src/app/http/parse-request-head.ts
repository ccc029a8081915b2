import { http } from '../../kernel/node-http.ts';

/** What the head of a request says to a gate. */
export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** What follows the `?`, or `""`. */
  readonly query: string;
  /** Bytes of the body; 0 also for one whose length was not announced. */
  readonly contentLength: number;
  readonly contentType: string | undefined;
  readonly traceParent: string | undefined;
}

/** A head of one request as its bytes had it, and where its body starts. */
export interface ParsedHead extends RequestHead {
  readonly bodyStart: number;
}

/** No more than `node:http` takes, and too few for 2000 headers, after which it would look at no more of them. */
const MAX_BYTES = Math.min(http.maxHeaderSize, 8000);
const HEAD_END = Buffer.from('\r\n\r\n');

const REQUEST_LINE = /POST (\/[\w\-.~!$&'()*+,;=:@%/]*)(?:\?([\w\-.~!$&'()*+,;=:@%/?]*))? HTTP\/1\.1\r\n/y;
const HEADER = /([\w!#$%&'*+\-.^`|~]+):[\t ]*([\t -~]*)\r\n/y;
/** A header that has not come to its end. */
const UNFINISHED = /(?:[\w!#$%&'*+\-.^`|~]+(?::[\t -~]*\r?)?|\r)?$/y;
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;

/** What is legal for the headers that matter; all others may be anything. */
const HEADERS: ReadonlyMap<string, 'once' | 'never' | 'keep-alive'> = new Map([
  ['host', 'once'],
  ['content-length', 'once'],
  ['content-type', 'once'],
  ['traceparent', 'once'],
  ['connection', 'keep-alive'],
  // How far the body goes, or what is spoken after it.
  ['transfer-encoding', 'never'],
  ['expect', 'never'],
  ['upgrade', 'never'],
  ['proxy-connection', 'never'],
  ['http2-settings', 'never'],
]);

/**
 * Reads the head of a plain `POST` with an announced length. `unusual` is everything else, legal or not: it is for `node:http`.
 * What is read here, `node:http` would have read the same way; so this takes less than the standards allow.
 * `partial` is the beginning of a head that can still become a plain one.
 */
export function parseRequestHead(bytes: Buffer): ParsedHead | 'partial' | 'unusual' {
  const end = bytes.indexOf(HEAD_END);
  const isWhole = end >= 0;
  // With the line break of the last header, and without the empty line.
  const length = isWhole ? end + 2 : bytes.length;
  if (length > MAX_BYTES) return 'unusual';
  const text = bytes.toString('latin1', 0, length);

  REQUEST_LINE.lastIndex = 0;
  const line = REQUEST_LINE.exec(text);
  if (line === null) return 'unusual';
  const headers = new Map<string, string>();
  const at = readHeaders(text, REQUEST_LINE.lastIndex, headers);
  if (at === undefined) return 'unusual';
  if (!isWhole) {
    UNFINISHED.lastIndex = at;
    return UNFINISHED.test(text) ? 'partial' : 'unusual';
  }
  const contentLength = headers.get('content-length') ?? '';
  if (at < length || !headers.has('host') || !LENGTH.test(contentLength)) return 'unusual';
  const [, path = '', query = ''] = line;
  return {
    method: 'POST',
    path,
    query,
    contentLength: Number(contentLength),
    contentType: headers.get('content-type'),
    traceParent: headers.get('traceparent'),
    bodyStart: end + HEAD_END.length,
  };
}

/** Gathers the headers that matter, and gives where the first line starts that is none; undefined: one that is not for us. */
function readHeaders(text: string, start: number, headers: Map<string, string>): number | undefined {
  for (let at = start; ; at = HEADER.lastIndex) {
    HEADER.lastIndex = at;
    const header = HEADER.exec(text);
    if (header === null) return at;
    const name = (header[1] as string).toLowerCase();
    const value = header[2] as string;
    switch (HEADERS.get(name)) {
      case 'never':
        return undefined;
      case 'keep-alive':
        if (value.toLowerCase() !== 'keep-alive') return undefined;
        break;
      case 'once':
        if (headers.has(name)) return undefined;
        headers.set(name, value.trimEnd());
        break;
      case undefined:
        break;
    }
  }
}
