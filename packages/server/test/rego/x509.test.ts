import assert from 'node:assert/strict';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { before, describe, test } from 'node:test';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { callBuiltin, NOW_SECONDS } from './support/evaluate-call.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400;
const NONE = [false, []];

describe('certificates that policies read and verify', () => {
  let [root, middle, leaf] = [] as webcrypto.CryptoKeyPair[];
  before(async () => {
    [root, middle, leaf] = await Promise.all([makeKeys(), makeKeys(), makeKeys()]);
  });

  test('a chain is verified at the time of the clock, for servers, and told from the leaf up', async () => {
    const chain = await issueChain();
    const [isValid, certificates] = verify(chain) as [boolean, { Subject: { CommonName: string } }[]];
    assert.equal(isValid, true);
    assert.deepEqual(
      certificates.map(({ Subject }) => Subject.CommonName),
      ['leaf', 'middle', 'root'],
    );
  });

  test('a chain that anything is wrong with is none', async () => {
    const wrong: Readonly<Record<string, Changes>> = {
      'the leaf is over': { leafEnd: NOW_SECONDS - 1 },
      'the root is over': { rootEnd: NOW_SECONDS - 1 },
      'the issuer is no authority': { middle: [] },
      'the issuer may not sign certificates': {
        middle: [authority(), new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)],
      },
      'the root allows no issuer below': { root: [authority(0)] },
      'the issuer is for some names only': {
        middle: [
          authority(),
          new x509.Extension('2.5.29.30', true, Buffer.from('300aa0083006820161820162', 'hex')),
        ],
      },
      'a critical extension is unknown': {
        leaf: [new x509.Extension('1.2.3.4.5', true, Buffer.from('0500', 'hex'))],
      },
      'it is for clients only': { leaf: [new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])] },
      'another key has signed it': { signer: leaf },
    };
    for (const [name, changes] of Object.entries(wrong)) {
      assert.deepEqual(verify(await issueChain(changes)), NONE, name);
    }
    const [top] = await issueChain();
    assert.deepEqual(verify(top === undefined ? [] : [top]), NONE);
    assert.deepEqual(callBuiltin('crypto.x509.parse_and_verify_certificates', 'garbage'), NONE);
  });

  test('what is cut off or changed fails, and nothing worse', async () => {
    const [certificate] = await issueChain();
    const der = Buffer.from(certificate?.rawData ?? new ArrayBuffer(0));
    for (let length = 0; length < der.length; length += 7) {
      const cut = der.subarray(0, length).toString('base64');
      assert.ok(
        length === 0 || callBuiltin('crypto.x509.parse_certificates', cut) === undefined,
        String(length),
      );
    }
    for (let at = 0; at < der.length; at += 3) {
      const changed = Buffer.from(der);
      changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
      callBuiltin('crypto.x509.parse_certificates', changed.toString('base64'));
      callBuiltin('crypto.x509.parse_certificate_request', changed.toString('base64'));
      callBuiltin('crypto.x509.parse_keypair', changed.toString('base64'), changed.toString('base64'));
    }
  });

  test('encrypted private keys are passed over, whatever work they ask for', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const encrypted = privateKey.export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    assert.deepEqual(callBuiltin('crypto.parse_private_keys', encrypted), []);
    assert.equal(callBuiltin('crypto.x509.parse_rsa_private_key', encrypted), null);
  });

  interface Changes {
    readonly root?: x509.Extension[];
    readonly middle?: x509.Extension[];
    readonly leaf?: x509.Extension[];
    readonly rootEnd?: number;
    readonly leafEnd?: number;
    readonly signer?: webcrypto.CryptoKeyPair | undefined;
  }

  async function issueChain(changes: Changes = {}): Promise<readonly x509.X509Certificate[]> {
    assert.ok(root !== undefined && middle !== undefined && leaf !== undefined);
    const far = NOW_SECONDS + DAY;
    const end = changes.leafEnd ?? far;
    return [
      await issue(['root', root], ['root', root], changes.root ?? [authority()], changes.rootEnd ?? far),
      await issue(['middle', middle], ['root', root], changes.middle ?? [authority()], far),
      await issue(['leaf', leaf], ['middle', changes.signer ?? middle], changes.leaf ?? [], end),
    ];
  }
});

function verify(chain: readonly x509.X509Certificate[]): unknown {
  const text = chain.map((item) => item.toString('pem')).join('\n');
  return callBuiltin('crypto.x509.parse_and_verify_certificates', text);
}

function authority(length?: number): x509.Extension {
  return new x509.BasicConstraintsExtension(true, length, true);
}

type Named = readonly [name: string, keys: webcrypto.CryptoKeyPair];

function issue(
  of: Named,
  by: Named,
  extensions: x509.Extension[],
  end: number,
): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: `CN=${of[0]}`,
    issuer: `CN=${by[0]}`,
    publicKey: of[1].publicKey,
    signingKey: by[1].privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date((NOW_SECONDS - DAY) * 1000),
    notAfter: new Date(end * 1000),
    extensions,
  });
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}
