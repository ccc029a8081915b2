import 'reflect-metadata';
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { createCertificateCheck } from '../../src/capabilities/crypto/is-certificate-trusted.ts';
import { clock } from '../support/test-host.ts';
import { asker, assertFault } from './support/ask.ts';
import { issueCertificate, type Issued } from './support/issue-certificate.ts';

const CAPABILITY = 'crypto/v1/is_certificate_trusted';
const ask = asker({ [CAPABILITY]: createCertificateCheck(clock) });
const TRUSTED = { trusted: true, reason: '' };
const UNTRUSTED = { trusted: false, reason: 'Certificate is not trusted by the provided cert chain' };
const DAY = 86_400_000;

let root: Issued;
let intermediate: Issued;
let leaf: Issued;

before(async () => {
  root = await issueCertificate({ name: 'root', isAuthority: true });
  intermediate = await issueCertificate({
    name: 'intermediate',
    issuer: root,
    isAuthority: true,
    pathLength: 0,
  });
  leaf = await issueCertificate({ name: 'leaf', issuer: intermediate });
});

const pem = ({ pem: text }: Issued) => ({ encoding: 'Pem', data: [...Buffer.from(text)] });
const der = ({ certificate }: Issued) => ({ encoding: 'Der', data: [...Buffer.from(certificate.rawData)] });

function check(cert: Issued, chain: readonly Issued[] | null, moment?: Date | null): Promise<unknown> {
  const at = moment === undefined ? {} : { not_after: moment?.toISOString() ?? null };
  return ask(CAPABILITY, { cert: pem(cert), cert_chain: chain?.map(pem) ?? null, ...at });
}

test('a chain that leads to its root is trusted, in either encoding', async () => {
  assert.deepEqual(await check(leaf, [intermediate, root]), TRUSTED);
  assert.deepEqual(await check(intermediate, [root], null), TRUSTED);
  const inDer = { cert: der(leaf), cert_chain: [der(intermediate), der(root)], not_after: '' };
  assert.deepEqual(await ask(CAPABILITY, inDer), TRUSTED);
});

test('a certificate that no given one vouches for is not trusted', async () => {
  const other = await issueCertificate({ name: 'root', isAuthority: true });
  for (const chain of [[], [root], [intermediate, other], null]) {
    assert.deepEqual(await check(leaf, chain), UNTRUSTED);
  }
});

test('the moment decides, of the certificate and of what vouches for it', async () => {
  assert.deepEqual(await check(leaf, [intermediate, root], new Date(Date.now() + 2 * DAY)), {
    trusted: false,
    reason: 'Certificate is being used after its expiration date',
  });
  assert.deepEqual(await check(leaf, [intermediate, root], new Date(Date.now() - 2 * DAY)), {
    trusted: false,
    reason: 'Certificate is being used before its validity date',
  });
  const expired = await issueCertificate({ name: 'old', issuer: root, isAuthority: true, validTo: -1000 });
  const under = await issueCertificate({ name: 'under', issuer: expired });
  assert.deepEqual(await check(under, [expired, root]), UNTRUSTED);
});

test('who may not issue certificates vouches for none', async () => {
  const underLeaf = await issueCertificate({ name: 'under-leaf', issuer: leaf });
  assert.deepEqual(await check(underLeaf, [leaf, intermediate, root]), UNTRUSTED);
  // The intermediate one may issue none that issue others.
  const second = await issueCertificate({ name: 'second', issuer: intermediate, isAuthority: true });
  const underSecond = await issueCertificate({ name: 'under-second', issuer: second });
  assert.deepEqual(await check(second, [intermediate, root]), TRUSTED);
  assert.deepEqual(await check(underSecond, [second, intermediate, root]), UNTRUSTED);
  const noSigning = await issueCertificate({
    name: 'no-signing',
    issuer: root,
    isAuthority: true,
    extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)],
  });
  const underIt = await issueCertificate({ name: 'under-no-signing', issuer: noSigning });
  assert.deepEqual(await check(underIt, [noSigning, root]), UNTRUSTED);
});

test('a certificate with a rule that is not known here is not trusted', async () => {
  for (const [critical, expected] of [
    [true, UNTRUSTED],
    [false, TRUSTED],
  ] as const) {
    // Name constraints, of no names.
    const extension = new x509.Extension('2.5.29.30', critical, Uint8Array.of(0x30, 0x00).buffer);
    const limited = await issueCertificate({
      name: 'limited',
      issuer: root,
      isAuthority: true,
      extensions: [extension],
    });
    const under = await issueCertificate({ name: 'under-limited', issuer: limited });
    assert.deepEqual(await check(under, [limited, root]), expected);
  }
});

test('what is no certificate, and no time, is said', async () => {
  const good = { cert: pem(leaf), cert_chain: [pem(root)] };
  for (const [input, message] of [
    [{ ...good, cert: { encoding: 'Pem', data: [1, 2] } }, /^`cert` is no certificate in PEM$/],
    [{ ...good, cert: { encoding: 'Der', data: pem(leaf).data } }, /^`cert` is no certificate in DER$/],
    [
      { ...good, cert_chain: [pem(root), { encoding: 'Der', data: [] }] },
      /^`cert_chain\.1` is no certificate/,
    ],
    [{ ...good, not_after: 'tomorrow' }, /^`not_after`: `tomorrow` is no time as of RFC 3339$/],
    [{ ...good, cert: { encoding: 'Pem', data: [300] } }, /`cert\.data\.0`/],
    [{}, /`cert`/],
  ] as const) {
    assertFault(await ask(CAPABILITY, input), 'PC_CAPABILITY_INPUT', message);
  }
});
