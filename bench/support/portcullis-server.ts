import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { startChildProcess } from '../../e2e/support/child-process.ts';
import { freePorts } from '../../e2e/support/free-ports.ts';
import { pinned, type Core } from './pinned.ts';
import { whenUp, type RunningServer } from './running-server.ts';

const MAIN = join(import.meta.dirname, '../../packages/server/src/cli/main.js');

export interface PortcullisOptions {
  readonly directory: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly threads: number;
  readonly policies: readonly object[];
  readonly core?: Core;
  /** Arguments for Node, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
}

export interface PortcullisServer extends RunningServer {
  /** Milliseconds from the start of the process until `/readyz` answered 200. */
  readonly readyAfter: number;
  /** Writes the policies anew; the server sees it by itself. */
  write(policies: readonly object[]): void;
  /** Writes the policy at one place of the list anew. */
  writeOne(index: number, policy: object): void;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
}

/** The real command with everything on: metering, reset, metrics, decision records, logs at their default level. */
export async function startPortcullis(options: PortcullisOptions): Promise<PortcullisServer> {
  const [port = 0, managementPort = 0] = await freePorts(2);
  const home = join(options.directory, `portcullis-${port}`);
  const folder = join(home, 'policies');
  mkdirSync(folder, { recursive: true });
  const writeOne = (index: number, policy: object): void =>
    writeFileSync(join(folder, `policy-${index}.yaml`), JSON.stringify(policy));
  const write = (policies: readonly object[]): void => {
    for (const [index, policy] of policies.entries()) writeOne(index, policy);
  };
  write(options.policies);
  const config = join(home, 'portcullis.yaml');
  writeFileSync(config, JSON.stringify(configuration(options, { port, managementPort, home, folder })));

  const [command = '', ...args] = pinned(options.core);
  const started = performance.now();
  const child = await startChildProcess({
    command,
    args: [...args, ...(options.nodeArgs ?? []), MAIN, 'serve', '--config', config],
    logFile: join(home, 'portcullis.log'),
  });
  await whenUp(child, 'portcullis', async () => (await request(managementPort, '/readyz')).status === 200);
  const readyAfter = performance.now() - started;
  return {
    port,
    pid: child.pid,
    readyAfter,
    write,
    writeOne,
    metrics: async () => (await request(managementPort, '/metrics')).text,
    stop: async () => void (await child.stop()),
  };
}

function configuration(
  { threads, certFile, keyFile }: PortcullisOptions,
  at: {
    readonly port: number;
    readonly managementPort: number;
    readonly home: string;
    readonly folder: string;
  },
): object {
  return {
    serving: { host: '127.0.0.1', port: at.port, threads, drainDelay: '0s', tls: { certFile, keyFile } },
    management: { port: at.managementPort },
    policies: { directories: [at.folder] },
    dataDirectory: join(at.home, 'data'),
  };
}

/** `node:http` and not fetch: loading that takes longer than the start that is measured here. */
function request(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; text: string }>();
  get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => (text += part));
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
  }).on('error', () => resolve({ status: 0, text: '' }));
  return promise;
}
