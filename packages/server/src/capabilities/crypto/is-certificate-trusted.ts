import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { JsonValue } from '@portcullis/contract';
import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';
import { optional, provide, type Provider } from '../provider.ts';
import { isChained } from './certificate-chain.ts';
import { readCertificate } from './read-certificate.ts';

const MAX_CERTIFICATE = 64 * 1024;
const MAX_CHAIN = 32;

const certificate = z.object({
  encoding: z.enum(['Pem', 'Der']),
  data: z
    .array(z.number().int().min(0).max(255))
    .max(MAX_CERTIFICATE)
    .transform((data) => Uint8Array.from(data)),
});
const input = z.object({
  cert: certificate,
  cert_chain: optional(z.array(certificate).max(MAX_CHAIN)),
  /** The moment that is asked about; called so by Kubewarden. */
  not_after: optional(z.string()),
});

/** Texts that guests know. */
const EXPIRED = 'Certificate is being used after its expiration date';
const NOT_YET = 'Certificate is being used before its validity date';
const UNTRUSTED = 'Certificate is not trusted by the provided cert chain';

/** `crypto/v1/is_certificate_trusted`: nothing but computing, so that it is done where it is asked. */
export function createCertificateCheck(clock: Clock): Provider {
  return provide(input, ({ cert, cert_chain: chain, not_after: moment }) => {
    const asked = readCertificate(cert, '`cert`');
    if (isFault(asked)) return asked;
    const at = readMoment(moment, clock);
    if (isFault(at)) return at;
    if (asked.validToDate.getTime() < at) return answer(EXPIRED);
    if (asked.validFromDate.getTime() > at) return answer(NOT_YET);
    const given = (chain ?? []).map((one, index) => readCertificate(one, `\`cert_chain.${index}\``));
    const unreadable = given.find(isFault);
    if (unreadable !== undefined) return unreadable;
    const known = given.filter((one): one is X509Certificate => !isFault(one));
    // Intermediates first, the root last.
    const anchors = chain === undefined ? mozillaRoots() : known.slice(-1);
    const intermediates = known.slice(0, -1);
    return answer(isChained({ certificate: asked, intermediates, anchors, at }) ? '' : UNTRUSTED);
  });
}

function answer(reason: string): { readonly json: JsonValue } {
  return { json: { trusted: reason === '', reason } };
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

function readMoment(text: string | undefined, clock: Clock): number | Fault {
  if (text === undefined || text === '') return clock.wall();
  const at = RFC_3339.test(text) ? Date.parse(text.toUpperCase().replace(' ', 'T')) : NaN;
  return Number.isNaN(at)
    ? new Fault('PC_CAPABILITY_INPUT', `\`not_after\`: \`${text.slice(0, 64)}\` is no time as of RFC 3339`)
    : at;
}

let roots: readonly X509Certificate[] | undefined;

/** Those that Node comes with, which are Mozilla's; reading them takes milliseconds, once. */
function mozillaRoots(): readonly X509Certificate[] {
  roots ??= rootCertificates.map((pem) => new X509Certificate(pem));
  return roots;
}
