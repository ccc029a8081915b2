import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { startChildProcess, tail } from './child-process.ts';
import { freePort } from './free-ports.ts';
import { waitUntil } from './wait-until.ts';

export interface DockerRegistryOptions {
  /** `docker-registry` of Debian. */
  readonly program: string;
  /** For its files; content that is there from before is served. */
  readonly directory: string;
  /** Default: a free one. */
  readonly port?: number;
  /** The `auth` section of its configuration; absent: everybody may do everything. */
  readonly auth?: object;
}

/** A real registry (distribution 2.8) on loopback, in plain HTTP. */
export interface DockerRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** User `me` with the password `not-a-secret`, as `htpasswd -nbBC 4` writes it. */
export const HTPASSWD = 'me:$2y$04$U1NS4v2GMUTDVTI2jXGGq.3KaMKMTJP1lN00XrZOjRkRqsr005n7W\n';
export const PASSWORD = 'not-a-secret';

export async function startDockerRegistry(options: DockerRegistryOptions): Promise<DockerRegistry> {
  const { program, directory, auth, port = await freePort() } = options;
  await mkdir(directory, { recursive: true });
  const host = `127.0.0.1:${port}`;
  const configPath = join(directory, 'registry.json');
  const config = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: { addr: host },
    ...(auth === undefined ? {} : { auth }),
  };
  await writeFile(configPath, JSON.stringify(config));
  const logFile = join(directory, 'registry.log');
  const child = await startChildProcess({ command: program, args: ['serve', configPath], logFile });
  try {
    await waitUntil(async () => child.exit() !== undefined || (await isAnswering(port)), {
      what: 'the registry to answer',
    });
    if (child.exit() !== undefined) throw new Error('it ended');
  } catch (error) {
    await child.kill();
    throw new Error(`the registry did not start; the end of its log:\n${tail(child.logs())}`, {
      cause: error,
    });
  }
  return { host, port, stop: async () => void (await child.stop()) };
}

function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/v2/', timeout: 1000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200 || answer.statusCode === 401);
    })
      .on('error', () => resolve(false))
      .end();
  });
}
