import { mkdir, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Volume } from './container.ts';

/** What a pod is started from. */
export interface PodImage {
  readonly root: string;
  /** In the form of OCI. */
  readonly config: unknown;
  readonly volumes: readonly Volume[];
}

const CHECKOUT = join(import.meta.dirname, '..', '..');

/**
 * Stands for the image of deploy/container, without building it: this Node, the sources as they are, the same user, folder,
 * variables and entry point. The suite of the image itself is `deploy-container`.
 */
export async function createSourceImage(directory: string): Promise<PodImage> {
  const root = join(directory, 'root');
  for (const folder of ['usr', 'etc', 'var', 'app']) await mkdir(join(root, folder), { recursive: true });
  for (const [path, target] of [
    ['bin', 'usr/bin'],
    ['lib', 'usr/lib'],
    ['lib64', 'usr/lib64'],
  ] as const) {
    await symlink(target, join(root, path));
  }
  const data = '/var/lib/portcullis';
  return {
    root,
    config: {
      User: '65532:65532',
      WorkingDir: data,
      Env: [`HOME=${data}`, 'NODE_ENV=production', `NODE_COMPILE_CACHE=${data}/compiled`],
      Entrypoint: ['/node', '/app/packages/server/src/cli/main.js'],
      Cmd: ['serve'],
    },
    volumes: [
      { host: '/usr', path: '/usr' },
      { host: await realpath(process.execPath), path: '/node' },
      { host: join(CHECKOUT, 'packages'), path: '/app/packages' },
      { host: await realpath(join(CHECKOUT, 'node_modules')), path: '/app/node_modules' },
    ],
  };
}
