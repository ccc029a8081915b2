import { createPublicKey, verify as verifySignature, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '../../kernel/fault.ts';

const verify = promisify<string | null, Uint8Array, KeyObject, Uint8Array, boolean>(verifySignature);

/** Digests that signatures of a kind of keys are made with; null: the kind has its own. */
const ALGORITHMS: Readonly<Record<string, readonly (string | null)[]>> = {
  ec: ['sha256', 'sha384', 'sha512'],
  rsa: ['sha256'],
  ed25519: [null],
};
const MIN_RSA_BITS = 2048;

/** PC_CAPABILITY_INPUT for what is no key, or none that signatures are made with. */
export function readPublicKey(pem: string, what: string): KeyObject | Fault {
  const refuse = (why: string): Fault => new Fault('PC_CAPABILITY_INPUT', `${what} ${why}`);
  // A private key would be read as its public one, and should not be in a policy at all.
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) return refuse('is no public key in PEM');
  try {
    const key = createPublicKey(pem);
    const problem = keyProblem(key);
    return problem === undefined ? key : refuse(problem);
  } catch {
    return refuse('is no public key in PEM');
  }
}

/** Why signatures are not taken of the key; undefined when they are. */
export function keyProblem({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  const kind = asymmetricKeyType ?? '';
  if (!Object.hasOwn(ALGORITHMS, kind)) return `is a key of the kind \`${kind}\``;
  const { modulusLength = MIN_RSA_BITS } = asymmetricKeyDetails ?? {};
  return modulusLength < MIN_RSA_BITS ? `is a key of ${modulusLength} bits` : undefined;
}

/** Off this thread. */
export async function isSignedBy(
  key: KeyObject,
  payload: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  for (const algorithm of ALGORITHMS[key.asymmetricKeyType ?? ''] ?? []) {
    try {
      if (await verify(algorithm, payload, key, signature)) return true;
    } catch {
      // Bytes that are no signature at all.
    }
  }
  return false;
}
