import type { Charge } from '../charge.ts';
import { isSigned, type Algorithm } from './algorithms.ts';
import type { HeaderFields } from './compact-token.ts';
import type { TokenKey } from './token-keys.ts';

interface Question {
  readonly keys: readonly TokenKey[];
  readonly algorithm: Algorithm;
  readonly header: HeaderFields;
  readonly signedPart: string;
  readonly signature: Uint8Array;
}

/** By the key that the header names, or by any that is of no other algorithm than the header's. */
export function isSignedByAny(
  { keys, algorithm, header, signedPart, signature }: Question,
  charge: Charge,
): boolean {
  const { alg, kid } = header;
  const named = kid === '' ? undefined : keys.find((key) => key.kid === kid);
  const candidates = named === undefined ? keys.filter((key) => key.alg === '' || key.alg === alg) : [named];
  return candidates.some(({ key }) => isSigned({ key, algorithm }, signedPart, signature, charge));
}
