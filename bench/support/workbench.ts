import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueServerCertificate } from '../../e2e/support/certificates.ts';
import { freePort } from '../../e2e/support/free-ports.ts';
import { startLoadGenerator, type LoadGenerator } from './load-generator.ts';
import { pinned, type Core } from './pinned.ts';
import { startPortcullis, type PortcullisOptions, type PortcullisServer } from './portcullis-server.ts';
import { startServer, type RunningServer } from './running-server.ts';

/** What the benchmarks share: a folder, a certificate, and an end for everything that they start. */
export interface Workbench {
  readonly directory: string;
  /** The authority of the certificate of every server here. */
  readonly caFile: string;
  loadGenerator(core?: Core): LoadGenerator;
  portcullis(
    options: Omit<PortcullisOptions, 'directory' | 'certFile' | 'keyFile'>,
  ): Promise<PortcullisServer>;
  /** A server under `servers/`, on the server's core. */
  peer(name: string, args?: readonly string[]): Promise<RunningServer>;
  /** Ends what was started since the last time. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

export async function createWorkbench(): Promise<Workbench> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const files = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') };
  const caFile = join(directory, 'ca.crt');
  const authority = await createAuthority();
  const identity = await issueServerCertificate(authority);
  writeFileSync(caFile, authority.pem);
  writeFileSync(files.certFile, identity.certificatePem);
  writeFileSync(files.keyFile, identity.keyPem, { mode: 0o600 });
  let started: (() => Promise<void>)[] = [];
  const noted = <T extends { stop(): Promise<void> }>(server: T): T => {
    started.push(() => server.stop());
    return server;
  };
  const tidy = async (): Promise<void> => {
    const ends = started;
    started = [];
    await Promise.all(ends.map((end) => end()));
  };

  return {
    directory,
    caFile,
    loadGenerator(core) {
      const generator = startLoadGenerator(core);
      started.push(async () => generator.close());
      return generator;
    },
    portcullis: async (options) => noted(await startPortcullis({ directory, ...files, ...options })),
    async peer(name, args = []) {
      const port = await freePort();
      const entry = join(import.meta.dirname, '../servers', `${name}.ts`);
      const command = [...pinned('server'), entry, String(port), files.certFile, files.keyFile, ...args];
      return noted(await startServer(command, port, join(directory, `${name}.log`)));
    },
    tidy,
    async close() {
      await tidy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
