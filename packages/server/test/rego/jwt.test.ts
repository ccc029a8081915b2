import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { callBuiltin, NOW_SECONDS } from './support/evaluate-call.ts';
import { BuiltinLimit } from '../../src/rego/builtins/builtin.ts';

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ED = generateKeyPairSync('ed25519');
const SECRET = 'a secret of HMAC';
const CLAIMS = { iss: 'us', sub: 'somebody' };
const UNVERIFIED = [false, {}, {}];

const jwk = (key: KeyObject): object => key.export({ format: 'jwk' });
const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' });
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const encode = (header: object, claims: object, key: object): string =>
  String(callBuiltin('io.jwt.encode_sign', header, claims, key));
const secretToken = (claims: object, header: object = { alg: 'HS256' }): string =>
  encode(header, claims, { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') });
const verifySecret = (token: string, more: object = {}): unknown =>
  callBuiltin('io.jwt.decode_verify', token, { secret: SECRET, ...more });

const SIGNERS: readonly (readonly [alg: string, keys: { publicKey: KeyObject; privateKey: KeyObject }])[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, RSA] as const),
  ['ES256', EC],
  ['ES384', P384],
  ['EdDSA', ED],
];

test('what a key signs is verified with that key, and decoded, by every algorithm', () => {
  for (const [alg, { publicKey, privateKey }] of SIGNERS) {
    const token = encode({ alg }, CLAIMS, jwk(privateKey));
    const set = JSON.stringify({ keys: [{ ...jwk(publicKey), alg, kid: 'a' }] });
    for (const cert of [pem(publicKey), JSON.stringify(jwk(publicKey)), set]) {
      assert.equal(callBuiltin(`io.jwt.verify_${alg.toLowerCase()}`, token, cert), true, alg);
      assert.deepEqual(callBuiltin('io.jwt.decode_verify', token, { cert }), [true, { alg }, CLAIMS], alg);
      const forged = token.replace(/\..*\./, `.${part({ ...CLAIMS, sub: 'admin' })}.`);
      assert.equal(callBuiltin(`io.jwt.verify_${alg.toLowerCase()}`, forged, cert), false, alg);
      assert.deepEqual(callBuiltin('io.jwt.decode_verify', forged, { cert }), UNVERIFIED, alg);
    }
  }
});

test('a token without a signature is never verified, whatever its algorithm is called', () => {
  for (const alg of ['none', 'None', 'NONE', '', 'hs256', 'RS1']) {
    const token = `${part({ alg })}.${part(CLAIMS)}.`;
    assert.deepEqual(verifySecret(token), UNVERIFIED, alg);
    assert.deepEqual(
      callBuiltin('io.jwt.decode_verify', token, { cert: pem(RSA.publicKey) }),
      UNVERIFIED,
      alg,
    );
    for (const name of ['rs256', 'es256', 'eddsa']) {
      assert.equal(callBuiltin(`io.jwt.verify_${name}`, token, pem(RSA.publicKey)), false);
    }
    assert.equal(callBuiltin('io.jwt.verify_hs256', token, SECRET), false);
  }
});

test('a public key is no secret of HMAC', () => {
  for (const key of [pem(RSA.publicKey), JSON.stringify(jwk(RSA.publicKey))]) {
    const bytes = `${part({ alg: 'HS256' })}.${part(CLAIMS)}`;
    const token = `${bytes}.${createHmac('sha256', key).update(bytes).digest('base64url')}`;
    assert.deepEqual(callBuiltin('io.jwt.decode_verify', token, { cert: key }), UNVERIFIED);
    assert.equal(callBuiltin('io.jwt.verify_rs256', token, key), false);
  }
});

test('a key verifies no algorithm of another type or curve', () => {
  const keys = [RSA, EC, P384, ED];
  for (const [alg, own] of SIGNERS) {
    const token = encode({ alg }, CLAIMS, jwk(own.privateKey));
    for (const { publicKey } of keys.filter((key) => key !== own)) {
      assert.equal(callBuiltin(`io.jwt.verify_${alg.toLowerCase()}`, token, pem(publicKey)), false, alg);
      const cert = pem(publicKey);
      assert.deepEqual(callBuiltin('io.jwt.decode_verify', token, { cert }), UNVERIFIED, alg);
    }
  }
  const bytes = `${part({ alg: 'ES256' })}.${part(CLAIMS)}`;
  const signature = sign('sha256', Buffer.from(bytes), { key: P384.privateKey, dsaEncoding: 'ieee-p1363' });
  const token = `${bytes}.${signature.toString('base64url')}`;
  assert.equal(callBuiltin('io.jwt.verify_es256', token, pem(P384.publicKey)), false);
  assert.equal(callBuiltin('io.jwt.encode_sign', { alg: 'HS256' }, {}, jwk(RSA.privateKey)), undefined);
  assert.equal(callBuiltin('io.jwt.encode_sign', { alg: 'RS256' }, {}, jwk(RSA.publicKey)), undefined);
});

test('claims are held against the constraints and the clock', () => {
  const isValid = (claims: object, constraints: object = {}): boolean =>
    (verifySecret(secretToken(claims), constraints) as readonly unknown[])[0] === true;
  assert.equal(isValid({ exp: NOW_SECONDS + 1 }), true);
  assert.equal(isValid({ exp: NOW_SECONDS }), false);
  assert.equal(isValid({ nbf: NOW_SECONDS }), true);
  assert.equal(isValid({ nbf: NOW_SECONDS + 1 }), false);
  assert.equal(isValid({ exp: 10 }, { time: 9_999_999_999 }), true);
  assert.equal(isValid({ exp: 10 }, { time: 10_000_000_000 }), false);
  assert.equal(isValid({ iss: 'a' }, { iss: 'a' }), true);
  assert.equal(isValid({ iss: 'b' }, { iss: 'a' }), false);
  assert.equal(isValid({}, { iss: 'a' }), false);
  assert.equal(isValid({ aud: ['x', 'a'] }, { aud: 'a' }), true);
  assert.equal(isValid({ aud: 'a' }), false);
  assert.equal(isValid({}, { aud: 'a' }), false);
  assert.equal(isValid({}, { alg: 'HS512' }), false);
  assert.equal(verifySecret(secretToken({ exp: 'soon' })), undefined);
  assert.equal(verifySecret(secretToken({}), { time: -1 }), undefined);
  assert.equal(verifySecret(secretToken({}), { colour: 'red' }), undefined);
  assert.equal(callBuiltin('io.jwt.decode_verify', secretToken({}), {}), undefined);
  assert.equal(callBuiltin('io.jwt.decode_verify', secretToken({}), { secret: '' }), undefined);
  assert.deepEqual(verifySecret(secretToken({}, { alg: 'HS256', crit: ['b64'], b64: false })), UNVERIFIED);
});

test('keys and tokens of unreasonable size are not worked on', () => {
  const huge = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(4096, 0xff).toString('base64url') };
  const slow = { ...jwk(RSA.publicKey), e: Buffer.alloc(200, 0xff).toString('base64url') };
  const token = encode({ alg: 'RS256' }, CLAIMS, jwk(RSA.privateKey));
  assert.equal(callBuiltin('io.jwt.verify_rs256', token, JSON.stringify(huge)), undefined);
  assert.equal(callBuiltin('io.jwt.verify_rs256', token, JSON.stringify(slow)), false);
  const keys = Array.from({ length: 500 }, () => jwk(P384.publicKey));
  assert.throws(() => callBuiltin('io.jwt.verify_es384', token, JSON.stringify({ keys })), BuiltinLimit);
  assert.throws(() => secretToken({ list: Array.from({ length: 20_000 }, () => 1) }), BuiltinLimit);
});
