import type { X509Certificate } from 'node:crypto';
import { isUnderstood, mayIssue } from './certificate-rules.ts';

export interface ChainQuestion {
  readonly certificate: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Certificates between the one in question and an anchor. */
const MAX_DEPTH = 8;

/** Whether signatures lead from the certificate to an anchor, over certificates that may issue others and are valid then. */
export function isChained({ certificate, intermediates, anchors, at }: ChainQuestion): boolean {
  // A certificate is looked at once, wherever paths meet.
  const seen = new Set<string>();
  let level: readonly X509Certificate[] = [certificate];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth += 1) {
    const understood = level.filter(isUnderstood);
    for (const one of understood) {
      if (
        anchors.some(
          (anchor) => anchor.raw.equals(one.raw) || (isValidAt(anchor, at) && hasIssued(anchor, one)),
        )
      ) {
        return true;
      }
    }
    const issuers = intermediates.filter(
      (issuer) =>
        !seen.has(issuer.fingerprint256) &&
        isValidAt(issuer, at) &&
        mayIssue(issuer, depth) &&
        understood.some((one) => hasIssued(issuer, one)),
    );
    for (const { fingerprint256 } of issuers) seen.add(fingerprint256);
    level = issuers;
  }
  return false;
}

export function isValidAt({ validFromDate, validToDate }: X509Certificate, at: number): boolean {
  return validFromDate.getTime() <= at && at <= validToDate.getTime();
}

/** Names and key usage as OpenSSL compares them, and the signature. */
function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
