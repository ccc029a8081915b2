import {
  isArray,
  isRegoNumber,
  numberText,
  type RegoObject,
  type RegoValue,
} from '../../values/rego-value.ts';
import { decodeBase64Url } from '../base64.ts';
import type { Builtin } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { readJsonObject } from '../json-text.ts';
import { fail, object, text } from '../operands.ts';
import { ALGORITHMS } from './algorithms.ts';
import { fieldsOf, readHeader, signedPart, splitToken } from './compact-token.ts';
import { readVerificationKeys, type TokenKey } from './token-keys.ts';
import { isSignedByAny } from './verify-signature.ts';

interface Constraints {
  readonly keys: readonly TokenKey[];
  /** Empty where any will do. */
  readonly alg: string;
  readonly iss: string;
  readonly aud: string;
  /** Seconds since 1970. */
  readonly time: number;
}

const NAMES = new Set(['cert', 'secret', 'alg', 'iss', 'aud', 'time']);
const UNVERIFIED: RegoValue = [false, new Map(), new Map()];

/** Signature and registered claims (RFC 7519, section 7.2): `[valid, header, payload]`. */
export const decodeVerify: Builtin = (args, { charge, now }) => {
  const constraints = readConstraints(object(args, 1), now, charge);
  const found = openToken(text(args, 0), constraints, charge);
  if (found === undefined) return UNVERIFIED;
  return areValid(found.payload, constraints) ? [true, found.header, found.payload] : UNVERIFIED;
};

interface Opened {
  readonly header: RegoObject;
  readonly payload: RegoObject;
}

/** The innermost of nested tokens, when all of their signatures are good. */
function openToken(encoded: string, constraints: Constraints, charge: Charge): Opened | undefined {
  let inner = encoded;
  for (;;) {
    const token = splitToken(inner);
    const header = readHeader(token, charge);
    const fields = fieldsOf(header);
    const algorithm = ALGORITHMS.get(fields.alg);
    if (!fields.isValid || (constraints.alg !== '' && constraints.alg !== fields.alg)) return undefined;
    const signature = decodeBase64Url(token.signature);
    if (algorithm === undefined) return undefined;
    const { keys } = constraints;
    const question = { keys, algorithm, header: fields, signedPart: signedPart(token), signature };
    if (!isSignedByAny(question, charge)) return undefined;
    const payload = decodeBase64Url(token.payload).toString();
    if (fields.cty.toUpperCase() !== 'JWT') return { header, payload: readJsonObject(payload, charge) };
    inner = payload;
  }
}

function readConstraints(given: RegoObject, now: bigint, charge: Charge): Constraints {
  for (const name of given.keys()) {
    if (typeof name !== 'string' || !NAMES.has(name)) fail('unknown token validation constraint');
  }
  const string = (name: string): string => {
    const value = given.has(name) ? given.get(name) : '';
    return typeof value === 'string' ? value : fail(`${name} constraint: must be a string`);
  };
  const secret = string('secret');
  if (given.has('cert') === (secret !== '')) {
    return fail(secret === '' ? 'no key constraint' : 'duplicate key constraints');
  }
  const keys = secret === '' ? readVerificationKeys(string('cert'), charge) : [secretKey(secret)];
  return { keys, alg: string('alg'), iss: string('iss'), aud: string('aud'), time: timeOf(given, now) };
}

function secretKey(secret: string): TokenKey {
  return { key: Buffer.from(secret), alg: '', kid: '' };
}

function timeOf(given: RegoObject, now: bigint): number {
  if (!given.has('time')) return Number(now) / 1e9;
  const nanoseconds = secondsOf(given.get('time'));
  return nanoseconds >= 0 ? nanoseconds / 1e9 : fail('token time constraint: must not be negative');
}

/** RFC 7519, section 4.1: issuer, audience, end and start. */
function areValid(payload: RegoObject, { iss, aud, time }: Constraints): boolean {
  if (iss !== '' && issuerOf(payload) !== iss) return false;
  if (payload.has('aud') ? !hasAudience(payload.get('aud'), aud) : aud !== '') return false;
  if (payload.has('exp') && time >= secondsOf(payload.get('exp'))) return false;
  return !(payload.has('nbf') && time < secondsOf(payload.get('nbf')));
}

function issuerOf(payload: RegoObject): string | undefined {
  if (!payload.has('iss')) return undefined;
  const issuer = payload.get('iss');
  return typeof issuer === 'string' ? issuer : fail('iss value must be a string');
}

/** A token that is for somebody is not for a policy that does not say who it is. */
function hasAudience(given: RegoValue | undefined, wanted: string): boolean {
  return given === wanted || (given !== undefined && isArray(given) && given.includes(wanted));
}

function secondsOf(value: RegoValue | undefined): number {
  return value !== undefined && isRegoNumber(value)
    ? Number(numberText(value))
    : fail('a time must be a number');
}
