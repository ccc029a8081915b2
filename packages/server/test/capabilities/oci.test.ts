import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { createOciProviders } from '../../src/capabilities/oci/oci-providers.ts';
import { anonymousKeychain } from '../../src/oci/auth/credential.ts';
import { createOciClient } from '../../src/oci/create-oci-client.ts';
import { descriptor, MANIFEST_TYPE, startFakeRegistry, type FakeRegistry } from '../oci/fake-registry.ts';
import { asker, assertFault, type Ask } from './support/ask.ts';
import { issueCertificate } from './support/issue-certificate.ts';
import { createRuntime } from './support/runtime.ts';

interface Bench {
  readonly registry: FakeRegistry;
  readonly ask: Ask;
  readonly image: string;
  readonly digest: string;
  /** Puts signatures where cosign does. */
  sign(signatures: readonly Signature[]): void;
}

interface Signature {
  readonly payload: Buffer;
  readonly signature: Buffer;
}

async function setUp(t: TestContext, ttl = 60_000): Promise<Bench> {
  const registry = await startFakeRegistry();
  const runtime = createRuntime();
  const client = createOciClient({
    runtime,
    keychain: anonymousKeychain,
    timeout: 20_000,
    allowPrivate: false,
    mirrors: [],
    plainHttp: (name) => name === registry.host,
    userAgent: 'portcullis-test',
  });
  t.after(async () => {
    client.close();
    await registry.close();
  });
  const digest = registry.put('team/app', 'v1', Buffer.from('layer'));
  return {
    registry,
    ask: asker(createOciProviders({ client, clock: runtime.clock, ttl })),
    image: `${registry.host}/team/app:v1`,
    digest,
    sign: (signatures) => store(registry, digest, signatures),
  };
}

function store(registry: FakeRegistry, digest: string, signatures: readonly Signature[]): void {
  const config = Buffer.from('{}');
  const type = 'application/vnd.dev.cosign.simplesigning.v1+json';
  const layers = signatures.map(({ payload, signature }) => ({
    ...descriptor(type, payload),
    annotations: { 'dev.cosignproject.cosign/signature': signature.toString('base64') },
  }));
  for (const bytes of [config, ...signatures.map(({ payload }) => payload)]) {
    registry.blobs.set(`team/app sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes);
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor('application/x', config),
    layers,
  };
  registry.manifests.set(`team/app ${digest.replace(':', '-')}.sig`, {
    type: MANIFEST_TYPE,
    bytes: Buffer.from(JSON.stringify(manifest)),
  });
}

function payloadOf(digest: string, annotations: object | null = null): Buffer {
  const critical = {
    identity: { 'docker-reference': 'registry.example/team/app' },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  return Buffer.from(JSON.stringify({ critical, optional: annotations }));
}

function signed(payload: Buffer, key: KeyObject, algorithm: string | null = 'sha256'): Signature {
  return { payload, signature: sign(algorithm, payload, key) };
}

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const pemOf = ({ publicKey }: { readonly publicKey: KeyObject }): string =>
  publicKey.export({ type: 'spki', format: 'pem' });

const byKeys = (
  image: string,
  pairs: readonly { readonly publicKey: KeyObject }[],
  annotations: object | null = null,
) => ({
  type: 'SigstorePubKeyVerify',
  image,
  pub_keys: pairs.map(pemOf),
  annotations,
});

test('digest, manifest and configuration of an image', async (t) => {
  const { ask, image, digest, registry } = await setUp(t);
  assert.deepEqual(await ask('oci/v1/manifest_digest', image), { digest });
  const manifest = JSON.parse(registry.manifests.get('team/app v1')?.bytes.toString() ?? '') as unknown;
  assert.deepEqual(await ask('oci/v1/oci_manifest', image), manifest);
  assert.deepEqual(await ask('oci/v1/oci_manifest_config', `registry://${image}`), {
    manifest,
    digest,
    config: {},
  });
  const before = registry.seen.length;
  assert.deepEqual(await ask('oci/v1/manifest_digest', image), { digest });
  assert.equal(registry.seen.length, before);
});

test('what the registry does not have, refuses, or cannot be asked for, is a fault', async (t) => {
  const { ask, registry } = await setUp(t);
  assertFault(await ask('oci/v1/manifest_digest', `${registry.host}/team/none:v1`), 'PC_OCI_NOT_FOUND');
  assertFault(await ask('oci/v1/oci_manifest', 'UPPER/Case'), 'PC_OCI_REFERENCE');
  assertFault(await ask('oci/v1/oci_manifest', { image: 'x' }), 'PC_CAPABILITY_INPUT');
  assertFault(await ask('oci/v1/manifest_digest', '10.0.0.1/team/app:v1'), 'PC_OCI_ADDRESS');
  registry.intercept = () => new Promise(() => {});
  assertFault(
    await ask('oci/v1/manifest_digest', `${registry.host}/team/slow:v1`, 30),
    'PC_CAPABILITY_TIMEOUT',
  );
});

test('every key that is asked for must have signed, in any of the kinds of keys', async (t) => {
  const { ask, image, digest, sign: put } = await setUp(t, 0);
  const trusted = { is_trusted: true, digest };
  const payload = payloadOf(digest);
  put([
    signed(payload, ec.privateKey),
    signed(payload, rsa.privateKey),
    signed(payload, ed.privateKey, null),
  ]);
  assert.deepEqual(await ask('oci/v2/verify', byKeys(image, [ec, rsa, ed])), trusted);
  const v1 = { SigstorePubKeyVerify: { image, pub_keys: [pemOf(ec)], annotations: null } };
  assert.deepEqual(await ask('oci/v1/verify', v1), trusted);

  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  assertFault(
    await ask('oci/v2/verify', byKeys(image, [ec, other])),
    'PC_CAPABILITY_UNTRUSTED',
    /is not signed with key 2 of 2: none of its signatures is of that key$/,
  );
});

test('a signature of something else is none', async (t) => {
  const { ask, image, digest, sign: put } = await setUp(t, 0);
  const otherDigest = `sha256:${'0'.repeat(64)}`;
  const good = payloadOf(digest);
  const ofOther = { payload: good, signature: sign('sha256', payloadOf(otherDigest), ec.privateKey) };
  const document = JSON.parse(good.toString()) as { critical: object };
  const otherType = Buffer.from(
    JSON.stringify({ critical: { ...document.critical, type: 'atomic container signature' } }),
  );
  for (const [signatures, message] of [
    [[], /: it has no signature$/],
    [[signed(payloadOf(otherDigest), ec.privateKey)], /: what was signed is about another image$/],
    [[ofOther], /: none of its signatures is of that key$/],
    [[{ payload: good, signature: Buffer.alloc(0) }], /: none of its signatures is of that key$/],
    [
      [signed(otherType, ec.privateKey)],
      /: what was signed is not of the type `cosign container image signature`$/,
    ],
    [[signed(Buffer.from('[]'), ec.privateKey)], /: what was signed is no JSON object$/],
  ] as const) {
    put(signatures);
    assertFault(await ask('oci/v2/verify', byKeys(image, [ec])), 'PC_CAPABILITY_UNTRUSTED', message);
  }
});

test('annotations that are asked for have to be signed', async (t) => {
  const { ask, image, digest, sign: put } = await setUp(t, 0);
  put([signed(payloadOf(digest, { env: 'prod', other: 1 }), ec.privateKey)]);
  assert.deepEqual(await ask('oci/v2/verify', byKeys(image, [ec], { env: 'prod' })), {
    is_trusted: true,
    digest,
  });
  for (const annotations of [{ env: 'test' }, { missing: 'x' }, { toString: 'x' }]) {
    assertFault(await ask('oci/v2/verify', byKeys(image, [ec], annotations)), 'PC_CAPABILITY_UNTRUSTED');
  }
});

test('keys that are none are told before a registry is asked', async (t) => {
  const { ask, image, registry } = await setUp(t);
  const secret = ec.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  for (const [keys, message] of [
    [[], /^`pub_keys` is empty: nothing could be verified$/],
    [['x'], /^`pub_keys\.0` is no public key in PEM$/],
    [[pemOf(ec), secret], /^`pub_keys\.1` is no public key in PEM$/],
    [[pemOf(small)], /^`pub_keys\.0` is a key of 1024 bits$/],
    [[pemOf(generateKeyPairSync('x25519'))], /^`pub_keys\.0` is a key of the kind `x25519`$/],
  ] as const) {
    const input = { ...byKeys(image, []), pub_keys: keys };
    assertFault(await ask('oci/v2/verify', input), 'PC_CAPABILITY_INPUT', message);
  }
  assert.equal(registry.seen.length, 0);
});

test('a certificate vouches for its key when its chain does, now', async (t) => {
  const { ask, image, digest, sign: put } = await setUp(t, 0);
  const root = await issueCertificate({ name: 'root', isAuthority: true });
  const signer = await issueCertificate({ name: 'signer', issuer: root });
  const expired = await issueCertificate({ name: 'old', issuer: root, validTo: -1000 });
  const stranger = await issueCertificate({ name: 'root', isAuthority: true });
  const payload = payloadOf(digest);
  const bytes = await crypto.subtle.exportKey('pkcs8', signer.keys.privateKey);
  const { createPrivateKey } = await import('node:crypto');
  put([signed(payload, createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' }))]);
  const input = {
    type: 'SigstoreCertificateVerify',
    image,
    certificate: [...Buffer.from(signer.pem)],
    certificate_chain: [[...Buffer.from(root.pem)]],
    require_rekor_bundle: false,
    annotations: null,
  };
  const trusted = { is_trusted: true, digest };
  assert.deepEqual(await ask('oci/v2/verify', input), trusted);
  assert.deepEqual(await ask('oci/v2/verify', { ...input, certificate_chain: null }), trusted);
  for (const [change, code] of [
    [{ certificate_chain: [[...Buffer.from(stranger.pem)]] }, 'PC_CAPABILITY_UNTRUSTED'],
    [{ certificate_chain: [] }, 'PC_CAPABILITY_UNTRUSTED'],
    [{ certificate: [...Buffer.from(expired.pem)] }, 'PC_CAPABILITY_UNTRUSTED'],
    [{ certificate: [1, 2, 3] }, 'PC_CAPABILITY_INPUT'],
    [{ require_rekor_bundle: true }, 'PC_CAPABILITY_UNAVAILABLE'],
  ] as const) {
    assertFault(await ask('oci/v2/verify', { ...input, ...change }), code);
  }
});

test('signatures without keys are refused: nothing here could tell whether they hold', async (t) => {
  const { ask, image } = await setUp(t);
  const message = /^signatures without keys cannot be verified: this server has no trust root/;
  for (const input of [
    { type: 'SigstoreKeylessVerify', image, keyless: [{ issuer: 'i', subject: 's' }], annotations: null },
    { type: 'SigstoreKeylessPrefixVerify', image, keyless_prefix: [], annotations: null },
    { type: 'SigstoreGithubActionsVerify', image, owner: 'o', repo: null, annotations: null },
  ]) {
    assertFault(await ask('oci/v2/verify', input), 'PC_CAPABILITY_UNAVAILABLE', message);
  }
  const v1 = { SigstoreKeylessVerify: { image, keyless: [], annotations: null } };
  assertFault(await ask('oci/v1/verify', v1), 'PC_CAPABILITY_UNAVAILABLE', message);
  assertFault(await ask('oci/v2/verify', { type: 'Other', image }), 'PC_CAPABILITY_INPUT');
});
