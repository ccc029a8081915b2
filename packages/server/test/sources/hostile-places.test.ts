import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createServer } from 'node:tls';
import { isFault } from '../../src/kernel/fault.ts';
import { createFileModuleSource } from '../../src/sources/file/file-module-source.ts';
import { walkFiles } from '../../src/sources/file/walk-files.ts';
import { createUrlModuleSource } from '../../src/sources/url/url-module-source.ts';
import { makeCertificate } from '../support/make-certificate.ts';
import { makePolicy } from '../support/make-policy.ts';

/** Each of these once made a reload wait for ever. */
const LIMIT = { timeout: 10_000 };

const folders: string[] = [];
after(() => Promise.all(folders.map((made) => rm(made, { recursive: true }))));

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'portcullis-hostile-'));
  folders.push(made);
  return made;
}

test('links in circles and links that fan out: each folder is entered once', LIMIT, async () => {
  const root = await folder();
  await writeFile(join(root, 'policy.yaml'), 'x');
  for (const name of ['a', 'b', 'c']) await symlink('.', join(root, name));
  assert.deepEqual(await walkFiles(root), [join(root, 'policy.yaml')]);

  const fan = await folder();
  for (let depth = 0; depth < 30; depth += 1) {
    await mkdir(join(fan, `d${depth}`));
    for (const name of ['a', 'b']) await symlink(`../d${depth + 1}`, join(fan, `d${depth}`, name));
  }
  await mkdir(join(fan, 'd30'));
  await writeFile(join(fan, 'd30', 'policy.yaml'), 'x');
  assert.equal((await walkFiles(fan)).length, 1);
});

test('a link that leads nowhere is nothing; one that cannot be followed makes the folder unreadable', async () => {
  const root = await folder();
  await symlink('missing', join(root, 'dangling.yaml'));
  await symlink('circle.yaml', join(root, 'circle.yaml'));
  assert.deepEqual(await walkFiles(root), []);
  await symlink('x'.repeat(300), join(root, 'unknown.yaml'));
  await assert.rejects(walkFiles(root), { code: 'ENAMETOOLONG' });
});

test('a module that is a named pipe is refused, not waited for', LIMIT, async (context) => {
  const directory = await folder();
  try {
    execFileSync('mkfifo', [join(directory, 'pipe')]);
  } catch {
    context.skip('this machine has no mkfifo');
    return;
  }
  const source = createFileModuleSource({ maxModuleBytes: 100 });
  const policy = makePolicy('piped', { module: { file: 'pipe' } });
  const result = await source.fetch({ ...policy, origin: { ...policy.origin, directory } });
  assert.ok(isFault(result));
  assert.equal(result.code, 'PC_MODULE_MISSING');
  assert.match(result.message, /not a regular file$/);
});

test(
  'a server that answers with another protocol is a fault, not a download that never ends',
  LIMIT,
  async () => {
    const certificate = await makeCertificate();
    const server = createServer(certificate, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
      );
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    try {
      const source = createUrlModuleSource({
        maxModuleBytes: 100,
        timeout: 1000,
        allowPrivate: true,
        allowWithoutDigest: true,
        ca: certificate.cert,
      });
      const url = `https://localhost:${(server.address() as AddressInfo).port}/module`;
      const result = await source.fetch(makePolicy('remote', { module: { url } }));
      assert.ok(isFault(result));
      assert.equal(result.message, `\`${url}\` answered with another protocol`);
    } finally {
      server.close();
    }
  },
);
