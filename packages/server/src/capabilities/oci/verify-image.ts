import type { KeyObject } from 'node:crypto';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { parseArtifactReference } from '../../oci/reference.ts';
import { fetchSignatures, type ImageSignature } from './image-signatures.ts';
import { isSignedBy } from './signature-key.ts';
import { payloadProblem, type Expectation } from './simple-signing.ts';
import { keysOfSigner } from './signer-keys.ts';
import type { VerifyInput } from './verify-input.ts';

export interface VerificationOptions {
  readonly client: OciClient;
  readonly clock: Clock;
  /** Milliseconds for everything that a verification asks of a registry. */
  readonly timeout: number;
}

/**
 * Resolves to the digest of the content that is signed as was asked. Every key must have signed it; what is not proven is a
 * fault, never an answer that says so: PC_CAPABILITY_UNTRUSTED, PC_CAPABILITY_UNAVAILABLE where it needs what this server does
 * not have, or what the registry did.
 */
export function createImageVerification({
  client,
  clock,
  timeout,
}: VerificationOptions): (input: VerifyInput) => Promise<string | Fault> {
  return async ({ image, signer, annotations }) => {
    // What needs no registry first: a wrong key is told even when it is down.
    const keys = keysOfSigner(signer, clock.wall());
    if (isFault(keys)) return keys;
    const reference = parseArtifactReference(image);
    if (isFault(reference)) return reference;
    const options = { signal: AbortSignal.timeout(timeout) };
    const digest = await client.digest(reference, options);
    if (isFault(digest)) return digest;
    const { registry, repository } = reference;
    const signatures = await fetchSignatures(client, { registry, repository, digest }, options);
    if (isFault(signatures)) return signatures;
    for (const [index, key] of keys.entries()) {
      const problem = await signatureProblem(key, signatures, { digest, annotations });
      if (problem === undefined) continue;
      const which = keys.length === 1 ? '' : ` with key ${index + 1} of ${keys.length}`;
      return new Fault(
        'PC_CAPABILITY_UNTRUSTED',
        `\`${image}\` (${digest}) is not signed${which}: ${problem}`,
      );
    }
    return digest;
  };
}

/** Undefined when one of the signatures holds. */
async function signatureProblem(
  key: KeyObject,
  signatures: readonly ImageSignature[],
  expected: Expectation,
): Promise<string | undefined> {
  let problem = signatures.length === 0 ? 'it has no signature' : 'none of its signatures is of that key';
  for (const { payload, signature } of signatures) {
    if (!(await isSignedBy(key, payload, signature))) continue;
    const found = payloadProblem(payload, expected);
    if (found === undefined) return undefined;
    problem = found;
  }
  return problem;
}
