import * as fc from 'fast-check';

/** What one client sends: requests or what looks like some, in pieces. */
export interface ClientStream {
  readonly messages: readonly {
    readonly bytes: Buffer;
    /** Shares of the length at which the bytes are cut. */
    readonly cuts: readonly number[];
    /** Whether the next message waits for an answer to this one. */
    readonly waits: boolean;
  }[];
}

const METHODS = ['post', 'GET', 'PUT', 'HEAD', 'OPTIONS', 'POSTX', 'PO ST', '', 'PRI', ' POST'];
const TARGETS = [
  '/validate?timeout=5s',
  '/mutate/add-labels?a?b=/c',
  '/validate?',
  '/nowhere',
  '/validate/',
  '/validate#part',
  '/val%69date',
  '/val idate',
  '/validat\u00e9',
  '//validate',
  '*',
  '',
  'http://a/validate',
  'a:443',
  '/validate\t',
  '/validate\0',
];
const VERSIONS = ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', ''];
/** Headers that are put beside the right ones; `LENGTH` is the length of the body. */
const EXTRA = [
  'content-length: LENGTH',
  'Content-Length: LENGTH',
  'content-length: 0',
  'content-length: 3',
  'content-length: 99999999',
  'transfer-encoding: chunked',
  'Transfer-Encoding: identity',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding : chunked',
  'transfer-encoding:\tchunked',
  'transfer-encoding: xchunked',
  'x: y\n transfer-encoding: chunked',
  'expect: 100-continue',
  'expect: something',
  'connection: close',
  'connection: keep-alive',
  'Connection: Keep-Alive, x',
  'connection: upgrade',
  'upgrade: websocket',
  'proxy-connection: close',
  'host: other',
  'content-type: text/plain',
  'traceparent: 00-a-b-01',
  'traceparent: \t00-a-b-02 \t',
  'x-empty:',
  'x-folded: a\r\n b',
  'x-obs: \u00e9',
  'x-null: a\0b',
  'x-cr: a\rb',
  'x-lf: a\nb',
  'x-del: \x7f',
  ' x-lead: a',
  'x space: a',
  'x-before : a',
  ': nameless',
  'no colon',
  `x-large: ${'a'.repeat(9000)}`,
  `x-too-large: ${'a'.repeat(17_000)}`,
  'many: \r\n'.repeat(300) + 'x: y',
];
/** The one announcement of the length, in other words. */
const LENGTHS = [
  '+LENGTH',
  '-LENGTH',
  ' LENGTH ',
  '0xLENGTH',
  '00LENGTH',
  'LENGTH,LENGTH',
  'LENGTH LENGTH',
  '',
  '1e1',
  'LENGTHx',
];
const HOSTS = ['', 'host:\r\n', 'Host : a\r\n'];
const LINE_ENDS = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n'];
const CHUNKED = '5\r\nhello\r\n0\r\n\r\n';

interface Parts {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly host: string;
  readonly length: string;
  readonly extra: readonly string[];
  readonly end: string;
  readonly body: string;
  /** Bytes that are announced beyond those of the body. */
  readonly off: number;
  readonly announced: boolean;
}

const PLAIN: Parts = {
  method: 'POST',
  target: '/validate',
  version: 'HTTP/1.1',
  host: 'Host: a\r\n',
  length: 'LENGTH',
  extra: [],
  end: '\r\n',
  body: CHUNKED,
  off: 0,
  announced: true,
};

/** Each deviation in a request that is right otherwise, with and without an announced length. */
export const ODDITIES: readonly Buffer[] = [
  ...METHODS.map((method) => ({ ...PLAIN, method })),
  ...TARGETS.map((target) => ({ ...PLAIN, target })),
  ...VERSIONS.map((version) => ({ ...PLAIN, version })),
  ...HOSTS.map((host) => ({ ...PLAIN, host })),
  ...LENGTHS.map((length) => ({ ...PLAIN, length })),
  ...LINE_ENDS.map((end) => ({ ...PLAIN, end })),
  ...EXTRA.map((line) => ({ ...PLAIN, extra: [line] })),
  ...EXTRA.map((line) => ({ ...PLAIN, extra: [line], announced: false })),
].map(messageOf);

/** Mostly legal, with few deviations in each message: what is wrong twice is refused early and shows little. */
const message: fc.Arbitrary<Buffer> = fc
  .record({
    method: usually(PLAIN.method, METHODS),
    target: usually(PLAIN.target, TARGETS, 2),
    version: usually(PLAIN.version, VERSIONS),
    host: usually(PLAIN.host, HOSTS),
    length: usually(PLAIN.length, LENGTHS),
    extra: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      fc.array(fc.constantFrom(...EXTRA), { maxLength: 2 }),
    ),
    end: usually(PLAIN.end, LINE_ENDS),
    body: fc.oneof(
      { weight: 4, arbitrary: fc.string({ maxLength: 40, unit: 'binary' }) },
      fc.constantFrom(CHUNKED, 'throw', 'x'.repeat(5000), 'x'.repeat(70_000)),
    ),
    // Too little waits, too much is the next request.
    off: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constantFrom(-3, -1, 1, 5)),
    announced: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.constant(false)),
  })
  .map(messageOf);

function messageOf(parts: Parts): Buffer {
  const { method, target, version, host, length, extra, end, body, off, announced } = parts;
  const size = String(Math.max(0, Buffer.byteLength(body) + off));
  const lines = [...extra, ...(announced ? [`Content-Length: ${length}`] : [])];
  const head =
    `${method} ${target} ${version}${end}${host}Content-Type: application/json\r\n` +
    lines.map((line) => `${line.replaceAll('LENGTH', size)}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), Buffer.from(body)]);
}

export const clientStream: fc.Arbitrary<ClientStream> = fc.record({
  messages: fc.array(
    fc.record({
      bytes: fc.oneof(
        { weight: 12, arbitrary: message },
        fc.constantFrom(...['\r\n', '\0', '\x16\x03\x01'].map((text) => Buffer.from(text))),
      ),
      cuts: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
      ),
      waits: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

function usually(usual: string, others: readonly string[], weight = 12): fc.Arbitrary<string> {
  return fc.oneof({ weight, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
}
