import { generateKeyPairSync, type KeyObject, type webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const LIFE = { notBefore: new Date('2024-01-01T00:00:00Z'), notAfter: new Date('2060-01-01T00:00:00Z') };
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};

/** Terms of Rego about keys, tokens and certificates, which are made anew for each run. */
export async function createCryptoExpressions(): Promise<Readonly<Record<string, readonly string[]>>> {
  return { tokens: tokenExpressions(), certificates: await certificateExpressions() };
}

function tokenExpressions(): readonly string[] {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const jwk = (key: KeyObject): string => JSON.stringify(key.export({ format: 'jwk' }));
  const pem = (key: KeyObject): string => JSON.stringify(key.export({ format: 'pem', type: 'spki' }));
  const pkcs8 = (key: KeyObject): string => JSON.stringify(key.export({ format: 'pem', type: 'pkcs8' }));
  const sign = (alg: string, key: KeyObject, claims = '{"iss": "us"}'): string =>
    `io.jwt.encode_sign({"alg": "${alg}"}, ${claims}, ${jwk(key)})`;
  const asymmetric = [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, rsa] as const),
    ['ES256', ec] as const,
    ['EdDSA', ed] as const,
  ];
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const secret = (claims: string, more = ''): string =>
    `io.jwt.decode_verify(io.jwt.encode_sign({"alg": "HS256"}, ${claims}, {"kty": "oct", "k": "c2VjcmV0"}), {"secret": "secret"${more}})`;
  return [
    sign('RS256', rsa.privateKey, '{"html": "<a&b>", "n": [1.0, 1e3, 12345678901234567890]}'),
    sign('EdDSA', ed.privateKey),
    sign('HS256', rsa.privateKey),
    sign('none', rsa.privateKey),
    ...asymmetric.flatMap(([alg, own]) =>
      [rsa, ec, ed].flatMap(({ publicKey }) => [
        `io.jwt.verify_${alg.toLowerCase()}(${sign(alg, own.privateKey)}, ${pem(publicKey)})`,
        `io.jwt.decode_verify(${sign(alg, own.privateKey)}, {"cert": ${pem(publicKey)}})`,
        `io.jwt.decode_verify(${sign(alg, own.privateKey)}, {"cert": ${JSON.stringify(jwk(publicKey))}, "iss": "us"})`,
      ]),
    ),
    `io.jwt.decode_verify("${none}.e30.", {"cert": ${pem(rsa.publicKey)}})`,
    `io.jwt.decode_verify("${none}.e30.", {"secret": "secret"})`,
    `io.jwt.decode("${none}.e30.")`,
    ...[
      '{}',
      '{"exp": 1}',
      '{"exp": 1e12}',
      '{"nbf": 1e12}',
      '{"nbf": 1.5}',
      '{"aud": "a"}',
      '{"exp": "x"}',
    ].map((claims) => secret(claims)),
    secret('{"aud": ["b", "a"]}', ', "aud": "a"'),
    secret('{"exp": 10}', ', "time": 9999999999'),
    secret('{"exp": 10}', ', "time": 10000000000'),
    secret('{}', ', "alg": "HS512"'),
    secret('{}', ', "iss": "x"'),
    secret('{}', ', "other": 1'),
    ...[rsa, ec, ed].flatMap(({ privateKey }) => [
      `crypto.parse_private_keys(${pkcs8(privateKey)})`,
      `crypto.x509.parse_rsa_private_key(${pkcs8(privateKey)})`,
    ]),
    `crypto.parse_private_keys(${JSON.stringify(rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }))})`,
    `crypto.parse_private_keys(${JSON.stringify(ec.privateKey.export({ format: 'pem', type: 'sec1' }))})`,
    'crypto.parse_private_keys("")',
    'crypto.parse_private_keys("nothing")',
    'crypto.x509.parse_rsa_private_key("nothing")',
  ];
}

async function certificateExpressions(): Promise<readonly string[]> {
  const [root, middle, leaf, other] = await Promise.all([keysOf(EC), keysOf(RSA), keysOf(EC), keysOf(RSA)]);
  const ca = (length?: number): x509.Extension[] => [
    new x509.BasicConstraintsExtension(true, length, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
  const issue = (
    subject: string,
    key: webcrypto.CryptoKeyPair,
    from: readonly [string, webcrypto.CryptoKeyPair],
    extensions: x509.Extension[],
  ) =>
    x509.X509CertificateGenerator.create({
      serialNumber: '0badcafe',
      subject,
      issuer: from[0],
      publicKey: key.publicKey,
      signingKey: from[1].privateKey,
      signingAlgorithm: from[1] === root || from[1] === leaf ? EC : RSA,
      ...LIFE,
      extensions,
    });
  const names = new x509.SubjectAlternativeNameExtension([
    { type: 'dns', value: 'web.example.com' },
    { type: 'dns', value: '*.example.org' },
    { type: 'email', value: 'a@b.c' },
    { type: 'ip', value: '10.0.0.1' },
    { type: 'ip', value: '::1' },
    { type: 'url', value: 'spiffe://example.com/web?x=1' },
  ]);
  const top = await issue('CN=Root', root, ['CN=Root', root], ca());
  const between = await issue('CN=Middle, O=Us, C=DE', middle, ['CN=Root', root], ca(0));
  const ends: x509.X509Certificate[] = [];
  for (const usages of [[], ['1.3.6.1.5.5.7.3.1'], ['1.3.6.1.5.5.7.3.2', '1.2.3.4']]) {
    const usage = usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(usages)];
    ends.push(
      await issue(
        'CN=añb, O=One, O=Two',
        leaf,
        ['CN=Middle, O=Us, C=DE', middle],
        [
          names,
          ...usage,
          await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(middle.publicKey),
        ],
      ),
    );
  }
  const stranger = await issue('CN=x', other, ['CN=Middle, O=Us, C=DE', other], []);
  const unable = await issue('CN=y', other, ['CN=añb, O=One, O=Two', leaf], []);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=request, O=Us',
    keys: leaf,
    signingAlgorithm: EC,
    extensions: [names],
  });
  const text = (...items: readonly { toString(format: 'pem'): string }[]): string =>
    JSON.stringify(items.map((item) => item.toString('pem')).join('\n'));
  const verify = (options: string, ...items: readonly x509.X509Certificate[]): string =>
    `crypto.x509.parse_and_verify_certificates_with_options(${text(...items)}, ${options})`;
  const [end = top, server = top, client = top] = ends;
  return [
    ...[top, between, ...ends].map((item) => `crypto.x509.parse_certificates(${text(item)})`),
    `crypto.x509.parse_certificates("${Buffer.from(end.rawData).toString('base64')}")`,
    ...[
      [top, between, end],
      [top, between, server],
      [top, between, client],
      [top, end],
      [end],
      [between, end],
      [top, between, stranger],
      [top, between, end, unable],
    ].map((chain) => `crypto.x509.parse_and_verify_certificates(${text(...chain)})`),
    ...[
      '{}',
      '{"DNSName": "web.example.com"}',
      '{"DNSName": "a.example.org"}',
      '{"DNSName": "a.b.example.org"}',
      '{"DNSName": "10.0.0.1"}',
      '{"DNSName": "example.com"}',
      '{"CurrentTime": 0}',
      '{"CurrentTime": 1800000000000000000}',
      '{"KeyUsages": ["KeyUsageClientAuth"]}',
      '{"KeyUsages": ["KeyUsageAny"]}',
      '{"KeyUsages": ["x"]}',
      '{"other": 1}',
    ].flatMap((options) => [verify(options, top, between, server), verify(options, top, between, client)]),
    `crypto.x509.parse_keypair(${text(end)}, ${await pemOf(leaf)})`,
    `crypto.x509.parse_keypair(${text(end)}, ${await pemOf(root)})`,
    `crypto.x509.parse_certificate_request(${text(request)})`,
    'crypto.x509.parse_certificate_request("foobar")',
    'crypto.x509.parse_certificates("Zm9v")',
  ];
}

function keysOf(
  algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams,
): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function pemOf({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  return JSON.stringify(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`);
}
