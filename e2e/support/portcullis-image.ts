import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Buildah } from './buildah.ts';

export const IMAGE = 'portcullis.test/portcullis';
const ROOT = join(import.meta.dirname, '..', '..');
/** What `npm` and the commands of `RUN` are made of here. Not `/usr/local`: there lies the Node of the stand-in. */
const BUILD_TOOLS = ['/usr/bin', '/usr/lib', '/usr/lib64', '/usr/share', '/etc/ssl'];

/**
 * Builds deploy/container/Dockerfile as it is. Registries of images are out of reach of a test, so both of its bases are
 * stand-ins: the first has our Node and borrows shell and npm from this machine, the second has the libraries that Node is
 * linked with, as distroless/cc has them. Throws with the builder's own words when the build fails.
 */
export async function buildPortcullisImage(buildah: Buildah): Promise<void> {
  const node = { '/usr/local/bin/node': process.execPath };
  await buildah.standIn('base.test/node', {
    programs: node,
    links: { bin: 'usr/bin', lib: 'usr/lib', lib64: 'usr/lib64' },
    folders: ['/usr/bin', '/usr/lib', '/usr/lib64'],
    env: { NPM_CONFIG_CAFILE: '/etc/ssl/certs/ca-certificates.crt', NPM_CONFIG_UPDATE_NOTIFIER: 'false' },
  });
  await buildah.standIn('base.test/cc', { librariesOf: [process.execPath], except: /libatomic/ });
  const { code, stderr } = await buildah.build({
    image: IMAGE,
    containerfile: join(ROOT, 'deploy', 'container', 'Dockerfile'),
    context: ROOT,
    args: { NODE_IMAGE: 'base.test/node', RUNTIME_IMAGE: 'base.test/cc' },
    hostFolders: BUILD_TOOLS.filter((path) => existsSync(path)),
  });
  if (code !== 0) throw new Error(`the image is not built: ${stderr}`);
}
