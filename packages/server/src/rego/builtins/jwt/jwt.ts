import type { RegoValue } from '../../values/rego-value.ts';
import { decodeBase64Url } from '../base64.ts';
import type { Builtin } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { goJsonText, readJsonObject } from '../json-text.ts';
import { fail, object, text } from '../operands.ts';
import { ALGORITHMS, isSigned, type Algorithm } from './algorithms.ts';
import { fieldsOf, readHeader, signedPart, splitToken } from './compact-token.ts';
import { decodeVerify } from './decode-verify.ts';
import { encodeSign } from './encode-sign.ts';
import { readVerificationKeys } from './token-keys.ts';
import { isSignedByAny } from './verify-signature.ts';

export const JWT: Readonly<Record<string, Builtin>> = {
  'io.jwt.decode': (args, { charge }) => decode(text(args, 0), charge),
  'io.jwt.decode_verify': decodeVerify,
  // `io.jwt.verify_rs256` and its like: the policy says which algorithm, the token does not.
  ...Object.fromEntries(
    Array.from(ALGORITHMS, ([name, algorithm]): [string, Builtin] => [
      `io.jwt.verify_${name.toLowerCase()}`,
      algorithm.family === 'HS' ? verifySecret(algorithm) : verifyKey(algorithm),
    ]),
  ),
  'io.jwt.encode_sign': (args, { charge }) =>
    encodeSign(
      {
        header: goJsonText(object(args, 0), charge),
        payload: goJsonText(object(args, 1), charge),
        key: goJsonText(object(args, 2), charge),
      },
      charge,
    ),
  'io.jwt.encode_sign_raw': (args, { charge }) =>
    encodeSign({ header: text(args, 0), payload: text(args, 1), key: text(args, 2) }, charge),
};

/** `[header, payload, signature in hex]`, nothing of which is verified. */
function decode(encoded: string, charge: Charge): RegoValue {
  const token = splitToken(encoded);
  const header = readHeader(token, charge);
  const payload = decodeBase64Url(token.payload).toString();
  const cty = header.has('cty') ? header.get('cty') : '';
  if (typeof cty !== 'string') return fail('cty: must be a string');
  // The payload is itself a token, which some put into quotes.
  if (cty === 'JWT') return decode(payload.replace(/^["']+|["']+$/g, ''), charge);
  return [header, readJsonObject(payload, charge), decodeBase64Url(token.signature).toString('hex')];
}

function verifySecret(algorithm: Algorithm): Builtin {
  return (args, { charge }) => {
    const token = splitToken(text(args, 0));
    const key = Buffer.from(text(args, 1));
    return isSigned({ key, algorithm }, signedPart(token), decodeBase64Url(token.signature), charge);
  };
}

function verifyKey(algorithm: Algorithm): Builtin {
  return (args, { charge }) => {
    const token = splitToken(text(args, 0));
    const keys = readVerificationKeys(text(args, 1), charge);
    const signature = decodeBase64Url(token.signature);
    const header = fieldsOf(readHeader(token, charge));
    return isSignedByAny({ keys, algorithm, header, signedPart: signedPart(token), signature }, charge);
  };
}
