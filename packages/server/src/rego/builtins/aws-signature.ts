import { createHash, createHmac } from 'node:crypto';
import { compareTexts } from '../values/compare-values.ts';
import { isObject, type RegoObject, type RegoValue } from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { charged, type Charge } from './charge.ts';
import { goJsonText } from './json-text.ts';
import { fail, integer, object } from './operands.ts';
import { parseUri } from './uri.ts';

export const AWS: Readonly<Record<string, Builtin>> = {
  'providers.aws.sign_req': (args, { charge }) => {
    const [request, configuration] = [object(args, 0), object(args, 1)];
    const nanoseconds = integer(args, 2);
    return signRequest(readRequest(request, charge), readConfiguration(configuration), nanoseconds, charge);
  },
};

interface SignedRequest {
  readonly members: RegoObject;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

interface Configuration {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  readonly service: string;
  /** Empty for none. */
  readonly sessionToken: string;
  readonly isPayloadSigned: boolean;
}

/** What proxies change on the way. */
const UNSIGNED = new Set(['authorization', 'user-agent', 'x-amzn-trace-id']);
/** Services that want the hash of the body in a header. */
const HASHED = new Set(['s3', 'glacier']);

/** The request with the headers of AWS Signature Version 4. */
function signRequest(
  { members, method, url, headers, body }: SignedRequest,
  { accessKey, secretKey, region, service, sessionToken, isPayloadSigned }: Configuration,
  nanoseconds: bigint,
  charge: Charge,
): RegoValue {
  const time = timestamp(nanoseconds);
  const date = time.slice(0, 8);
  const hash = isPayloadSigned ? sha256(body, charge) : 'UNSIGNED-PAYLOAD';
  const { host, path, query } = partsOf(url);
  const own = new Map([
    ['host', host],
    ['x-amz-date', time],
    ...(HASHED.has(service) ? [['x-amz-content-sha256', hash] as const] : []),
    ...(sessionToken === '' ? [] : [['x-amz-security-token', sessionToken] as const]),
  ]);
  const others = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const all = new Map([...own, ...others.filter(([name]) => !UNSIGNED.has(name))]);
  const ordered = [...all].sort(([first], [second]) => compareTexts(first, second));
  const lines = ordered.map(([name, value]) => `${name}:${value}\n`).join('');
  const names = ordered.map(([name]) => name).join(';');
  const canonical = [method, path, query, lines, names, hash].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretKey}`);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical, charge)}`);
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope},SignedHeaders=${names},Signature=${signature.toString('hex')}`;
  const signed = new Map<RegoValue, RegoValue>([...headers, ['Authorization', authorization], ...own]);
  return new Map([...members, ['headers', signed]]);
}

const REQUEST = new Set(
  'method url body raw_body headers enable_redirect force_json_decode force_yaml_decode tls_use_system_certs tls_ca_cert tls_ca_cert_file tls_ca_cert_env_variable tls_client_cert tls_client_cert_file tls_client_cert_env_variable tls_client_key tls_client_key_file tls_client_key_env_variable tls_insecure_skip_verify tls_server_name timeout cache force_cache force_cache_duration_seconds raise_error caching_mode max_retry_attempts cache_ignored_headers'.split(
    ' ',
  ),
);

function readRequest(members: RegoObject, charge: Charge): SignedRequest {
  for (const name of members.keys()) {
    if (typeof name !== 'string' || !REQUEST.has(name)) return fail('invalid request parameters');
  }
  const [method, url] = [stringOf(members, 'method'), stringOf(members, 'url')];
  const headers = members.has('headers') ? members.get('headers') : new Map();
  if (headers === undefined || !isObject(headers)) return fail('headers must be an object');
  const raw = members.get('raw_body');
  const json = members.has('body') ? goJsonText(members.get('body') ?? null, charge) : '';
  const body = members.has('raw_body') ? textOf(raw) : json;
  return {
    members,
    method,
    url,
    headers: [...headers].map(([name, value]) => [textOf(name), textOf(value)]),
    body,
  };
}

function readConfiguration(members: RegoObject): Configuration {
  const isUnsigned = members.has('disable_payload_signing') ? members.get('disable_payload_signing') : false;
  if (typeof isUnsigned !== 'boolean')
    return fail("invalid value for 'disable_payload_signing' in AWS config");
  return {
    accessKey: stringOf(members, 'aws_access_key'),
    secretKey: stringOf(members, 'aws_secret_access_key'),
    region: stringOf(members, 'aws_region'),
    service: stringOf(members, 'aws_service'),
    sessionToken: textOf(members.get('aws_session_token')),
    isPayloadSigned: !isUnsigned,
  };
}

function stringOf(members: RegoObject, name: string): string {
  const value = members.get(name);
  return typeof value === 'string' ? value : fail(`\`${name}\` must be a string`);
}

function textOf(value: RegoValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

const LARGEST_TIME = 2n ** 63n;

/** `20151228T140825Z` */
function timestamp(nanoseconds: bigint): string {
  if (nanoseconds < -LARGEST_TIME || nanoseconds >= LARGEST_TIME) return fail('the time is out of range');
  const seconds =
    (nanoseconds - (((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function partsOf(url: string): { readonly host: string; readonly path: string; readonly query: string } {
  if (parseUri(url) === undefined) return fail('invalid URL');
  const found = /^(?:[^:/?#]+:)?(?:\/\/(?:[^/?#]*@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?/.exec(url);
  const [, host = '', path = '', query = ''] = found ?? [];
  return {
    host,
    path: path.toWellFormed().replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, encodeURIComponent),
    query,
  };
}

function sha256(text: string, charge: Charge): string {
  charged(charge, text.length * 4);
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest();
}
