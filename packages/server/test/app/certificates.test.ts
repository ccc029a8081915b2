import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { developmentCertificate } from '../../src/app/tls/development-certificate.ts';
import { loadCertificate, type CertificateFiles } from '../../src/app/tls/load-certificate.ts';
import type { Certificate } from '../../src/app/tls/tls-material.ts';
import { watchCertificate } from '../../src/app/tls/watch-certificate.ts';
import { Fault, isFault } from '../../src/kernel/fault.ts';
import { createPair, workDirectory, writePair, type Authority } from './support/certificates.ts';

describe('certificate files', () => {
  let authority: Authority;
  let leaf: Authority;
  let directory: string;

  before(async () => {
    authority = await createPair({ name: 'authority', isAuthority: true, validTo: 7_200_000 });
    leaf = await createPair({ name: 'leaf', issuer: authority });
    directory = await workDirectory();
  });

  async function load(contents: Readonly<Record<string, string>>): Promise<Certificate | Fault> {
    const folder = await workDirectory();
    for (const [name, text] of Object.entries(contents)) await writeFile(join(folder, name), text);
    const found = await loadCertificate(
      {
        certFile: join(folder, 'crt'),
        ...(contents['key'] === undefined ? {} : { keyFile: join(folder, 'key') }),
        ...(contents['ca'] === undefined
          ? {}
          : {
              clientCaFiles: Object.keys(contents)
                .filter((name) => name.startsWith('ca'))
                .map((name) => join(folder, name)),
            }),
      },
      Date.now(),
    );
    // So that messages can be compared.
    return isFault(found) ? new Fault(found.code, found.message.replaceAll(`${folder}/`, '')) : found;
  }

  async function refusal(contents: Readonly<Record<string, string>>): Promise<string> {
    const found = await load(contents);
    ok(isFault(found));
    equal(found.code, 'PC_TLS_CERTIFICATE');
    return found.message;
  }

  test('a chain, and a combined file', async () => {
    const chain = await load({ crt: leaf.cert + '\n' + authority.cert, key: leaf.key });
    ok(!isFault(chain));
    // The chain ends when its first member does.
    equal(chain.notAfter, authority.certificate.notAfter.getTime());
    const combined = await load({
      crt: `${leaf.key}\n${leaf.cert}\n${authority.cert}\n`,
      ca: authority.cert,
    });
    ok(!isFault(combined));
    deepEqual(Object.keys(combined.material), ['cert', 'key', 'ca']);
    notEqual(combined.fingerprint, chain.fingerprint);
  });

  test('authorities of clients that are none are refused: TLS would trust every public one instead', async () => {
    const { cert: crt, key } = leaf;
    for (const ca of ['', '\n', 'half of a certif']) {
      equal(await refusal({ crt, key, ca }), '`ca` has no certificate in PEM form');
    }
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    match(
      await refusal({ crt, key, ca: `${authority.cert}\n${broken}` }),
      /^`ca` has a certificate that cannot be read/,
    );
    const two = await load({ crt, key, ca: `# ours\n${authority.cert}\n${leaf.cert}` });
    ok(!isFault(two));
    equal(two.material.ca?.match(/BEGIN CERTIFICATE/g)?.length, 2);
    const files = await load({ crt, key, ca: authority.cert, ca2: leaf.cert });
    ok(!isFault(files));
    equal(files.material.ca, two.material.ca);
    equal(await refusal({ crt, key, ca: authority.cert, ca2: '' }), '`ca2` has no certificate in PEM form');
  });

  test('what is wrong is said with file and place', async () => {
    const { cert, key } = leaf;
    match(
      await refusal({ crt: cert, key: authority.key }),
      /^the private key in `key` does not belong to the first certificate of `crt`$/,
    );
    match(
      await refusal({ crt: authority.cert + '\n' + cert, key: authority.key }),
      /^certificate 2 of `crt` did not issue the one before it; order them leaf first$/,
    );
    match(await refusal({ crt: cert }), /^`crt` has no private key in PEM form$/);
    match(await refusal({ crt: 'nothing', key }), /^`crt` has no certificate in PEM form$/);
    match(
      await refusal({ crt: cert.replace('MII', 'AAA'), key }),
      /^`crt` has a certificate that cannot be read/,
    );
    match(
      await refusal({ crt: cert, key: key.replace('MIG', 'AAA') }),
      /^the private key in `key` cannot be read; keys with a passphrase are not supported$/,
    );
    match(await refusal({ key }), /^cannot read `crt`: ENOENT/);
    const old = await createPair({ name: 'old', validTo: -1000 });
    match(await refusal({ crt: old.cert, key: old.key }), /^certificate 1 of `crt` expired at /);
    const early = await createPair({ name: 'early', validFrom: 3_600_000 });
    match(await refusal({ crt: early.cert, key: early.key }), /^certificate 1 of `crt` is not valid before /);
  });

  test('the development certificate is kept, and made anew near its end', async () => {
    const folder = join(directory, 'data');
    const first = await developmentCertificate(folder, Date.now());
    const second = await developmentCertificate(folder, Date.now());
    ok(!isFault(first) && !isFault(second));
    equal(second.certificate.fingerprint, first.certificate.fingerprint);
    const later = await developmentCertificate(folder, Date.now() + 340 * 86_400_000);
    ok(!isFault(later));
    notEqual(later.certificate.fingerprint, first.certificate.fingerprint);
  });

  interface Told {
    readonly changed: string[];
    readonly problems: (string | undefined)[];
    readonly check: () => Promise<void>;
    readonly stop: () => void;
  }

  /** The interval is out of reach, so only events and `check` find anything. */
  async function follow(files: CertificateFiles): Promise<Told> {
    const current = await loadCertificate(files, Date.now());
    ok(!isFault(current));
    const changed: string[] = [];
    const problems: (string | undefined)[] = [];
    const watch = watchCertificate({
      files,
      current,
      interval: 3_600_000,
      wall: () => Date.now(),
      changed: ({ material }) => changed.push(material.cert.trim()),
      problem: (fault) => problems.push(fault?.message.replace(/`[^`]*\//g, '`')),
    });
    return { changed, problems, ...watch };
  }

  test('a changed pair is found; a broken one is told once and leaves the last', async () => {
    const folder = await workDirectory();
    const files = await writePair(folder, leaf);
    const told = await follow(files);
    await told.check();
    deepEqual([told.changed, told.problems], [[], []]);

    const next = await createPair({ name: 'next' });
    await writeFile(files.certFile, next.cert);
    await told.check();
    await told.check();
    deepEqual(told.changed, []);
    deepEqual(told.problems, [
      'the private key in `tls.key` does not belong to the first certificate of `tls.crt`',
    ]);
    await writeFile(files.keyFile, next.key);
    await told.check();
    deepEqual(told.changed, [next.cert.trim()]);
    deepEqual(told.problems.slice(1), [undefined]);
    told.stop();
  });

  test('the link swap of a mounted Secret is found by its event', async () => {
    const folder = await workDirectory();
    const put = async (version: string, pair: Authority): Promise<void> => {
      await mkdir(join(folder, version));
      await writePair(join(folder, version), pair);
      await symlink(version, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await put('..1', leaf);
    const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
    await symlink('..data/tls.crt', files.certFile);
    await symlink('..data/tls.key', files.keyFile);
    const told = await follow(files);
    const next = await createPair({ name: 'next' });
    await put('..2', next);
    await rm(join(folder, '..1'), { recursive: true });
    while (told.changed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    deepEqual([told.changed, told.problems], [[next.cert.trim()], []]);
    told.stop();
  });
});
