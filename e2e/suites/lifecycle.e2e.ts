import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { after, before, test } from 'node:test';
import {
  createAuthority,
  issueServerCertificate,
  type Authority,
  type Identity,
} from '../support/certificates.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { endlessPolicy } from '../support/fixed-policy.ts';
import { freePort, freePorts } from '../support/free-ports.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import {
  collectionPath,
  namespace,
  pod,
  validatingWebhookConfiguration,
  type KubernetesObject,
} from '../support/kubernetes-objects.ts';
import { portcullisConfig, writePolicy, type PortcullisFiles } from '../support/portcullis-config.ts';
import { startPortcullis } from '../support/portcullis.ts';
import { startReplicas, type Replicas } from '../support/replicas.ts';
import { startLoad, type SteadyLoad } from '../support/steady-load.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const REGISTRY = join(import.meta.dirname, '..', '..', 'policies', 'image-registry', 'image-registry.wasm');
const GOOD = 'registry.k8s.io/pause:3.10';
const BAD = 'quay.io/acme/app:1';

// What an operator does to a server under load, and no request may fail for it.
describeWithKubernetes('lifecycle', () => {
  let kube: KubeApiserver;
  let authority: Authority;
  let files: PortcullisFiles;
  let replicas: Replicas;
  let directory: string;

  const create = (object: KubernetesObject, query = ''): ReturnType<KubeApiserver['request']> =>
    kube.request('POST', collectionPath(object) + query, object);

  before(async () => {
    directory = await createWorkDirectory('lifecycle');
    authority = await createAuthority();
    [kube, replicas] = await Promise.all([
      startKubeApiserver({ directory: await createWorkDirectory('lifecycle-kubernetes') }),
      startReplicas({ directory, count: 2, identity: await issueServerCertificate(authority) }),
    ]);
    files = replicas.files;
    await writePolicy(files.policies, 'image-registry', await readFile(REGISTRY), {
      match: {
        operations: ['CREATE'],
        resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      },
      settings: { registries: ['registry.k8s.io/'] },
    });
    equal((await create(namespace('load'))).status, 201);
    const hook = validatingWebhookConfiguration({
      name: 'validate',
      url: `${replicas.url}/admission/validate`,
      caPem: authority.pem,
      namespace: 'load',
    });
    equal((await create(hook)).status, 201);
    await waitUntil(async () => (await create(loaded('probe', BAD), '?dryRun=All')).status === 422, {
      what: 'the webhook to act',
    });
  });

  after(async () => {
    await replicas?.stop();
    await kube?.stop();
  });

  /** Every second pod has an image that must be denied. */
  function load(): SteadyLoad {
    return startLoad({
      kube,
      workers: 8,
      object: (index) => loaded(`pod-${index}`, index % 2 === 0 ? GOOD : BAD),
      expected: (index) => (index % 2 === 0 ? 201 : 422),
    });
  }

  async function answered(running: SteadyLoad, more: number): Promise<void> {
    const goal = running.count() + more;
    await waitUntil(() => running.count() >= goal, { what: `${more} more answers`, within: 60_000 });
  }

  test('a rolling restart under load fails no request', async () => {
    const running = load();
    await answered(running, 50);
    const exits = await replicas.roll(() => answered(running, 100));
    deepEqual(exits, [
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
    const { failures, requests } = await running.stop();
    deepEqual(failures, []);
    ok(requests >= 250);
  });

  test('certificates rotate under load, files and link swap, with no failed request', async () => {
    const running = load();
    await answered(running, 50);
    const seen = [await serial(replicas.balancer.port)];
    for (let round = 0; round < 3; round += 1) {
      const identity = await issueServerCertificate(authority);
      await writeFile(files.certFile, identity.certificatePem);
      await writeFile(files.keyFile, identity.keyPem);
      await waitUntil(async () => (await serial(replicas.balancer.port)) === normal(identity.serialNumber), {
        what: 'the new certificate to be served',
      });
      seen.push(normal(identity.serialNumber));
      await answered(running, 50);
    }
    const { failures } = await running.stop();
    deepEqual(failures, []);
    equal(new Set(seen).size, 4);
  });

  test('a mounted secret rotates by its link swap', async () => {
    const mount = join(directory, 'mount');
    const swap = async (stamp: string, identity: Identity): Promise<void> => {
      await mkdir(join(mount, stamp), { recursive: true });
      await writeFile(join(mount, stamp, 'tls.crt'), identity.certificatePem);
      await writeFile(join(mount, stamp, 'tls.key'), identity.keyPem);
      await symlink(stamp, join(mount, `..next-${stamp}`));
      await rename(join(mount, `..next-${stamp}`), join(mount, '..data'));
    };
    await swap('..1', await issueServerCertificate(authority));
    await symlink('..data/tls.crt', join(mount, 'tls.crt'));
    await symlink('..data/tls.key', join(mount, 'tls.key'));
    const [port = 0, managementPort = 0] = await freePorts(2);
    const mounted = { ...files, certFile: join(mount, 'tls.crt'), keyFile: join(mount, 'tls.key') };
    const config = portcullisConfig({ files: mounted, port, managementPort });
    const server = await startPortcullis({ directory, name: 'mounted', config, managementPort });
    try {
      const first = await serial(port);
      const next = await issueServerCertificate(authority);
      await swap('..2', next);
      await waitUntil(async () => (await serial(port)) === normal(next.serialNumber), {
        what: 'the certificate of the swapped secret',
      });
      notEqual(first, normal(next.serialNumber));
    } finally {
      await server.stop();
    }
  });

  test('a changed policy is in force without a restart; a broken one leaves the last good one', async () => {
    const match = {
      operations: ['CREATE'],
      resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
    };
    const module = await readFile(REGISTRY);
    const becomes = (status: number): Promise<unknown> =>
      waitUntil(async () => (await create(loaded('hot', BAD), '?dryRun=All')).status === status, {
        what: `a pod from quay.io to be answered ${status}`,
      });
    await writePolicy(files.policies, 'image-registry', module, {
      match,
      settings: { registries: ['quay.io/'] },
    });
    await becomes(201);
    await writeFile(join(files.policies, 'image-registry.yaml'), 'kind: [broken');
    await new Promise((resolve) => void setTimeout(resolve, 1500));
    await becomes(201);
    await writePolicy(files.policies, 'image-registry', module, {
      match,
      settings: { registries: ['registry.k8s.io/'] },
    });
    // Both replicas have to follow before the next test.
    for (let round = 0; round < 6; round += 1) await becomes(422);
  });

  test('an endless policy costs its own requests, not those of others', async () => {
    await writePolicy(files.policies, 'endless', await endlessPolicy(), {
      failurePolicy: 'Ignore',
      limits: { timeout: '500ms', fuel: 1_000_000_000_000 },
      match: {
        namespaces: ['endless'],
        resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      },
    });
    const managementPort = await freePort();
    const port = await freePort();
    const config = portcullisConfig({ files, port, managementPort });
    const server = await startPortcullis({ directory, name: 'endless', config, managementPort });
    equal((await create(namespace('endless'))).status, 201);
    const hook = validatingWebhookConfiguration({
      name: 'endless',
      url: `https://127.0.0.1:${port}/admission/validate`,
      caPem: authority.pem,
      namespace: 'endless',
    });
    equal((await create(hook)).status, 201);
    try {
      const stuck = await waitUntil(
        async () => {
          const answer = await create(pod({ name: 'stuck', namespace: 'endless' }, GOOD), '?dryRun=All');
          return answer.warnings.length > 0 && answer;
        },
        { what: 'the endless policy to be asked' },
      );
      equal(stuck.status, 201, stuck.text);
      deepEqual(stuck.warnings, [
        '[endless] Plugin failed but fail-open is enabled: Plugin execution timeout',
      ]);
      const running = startLoad({
        kube,
        workers: 4,
        object: (index) => pod({ name: `p-${index}`, namespace: 'endless' }, GOOD),
        expected: () => 201,
      });
      const other = load();
      await answered(other, 200);
      const [mine, others] = await Promise.all([running.stop(), other.stop()]);
      deepEqual(mine.failures, []);
      deepEqual(others.failures, []);
    } finally {
      await server.stop();
    }
  });
});

function loaded(name: string, image: string): KubernetesObject {
  return pod({ name, namespace: 'load' }, image);
}

/** Serial number of the certificate that a new connection is shown. */
async function serial(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
    resolve(normal(socket.getPeerCertificate().serialNumber));
    socket.destroy();
  });
  socket.on('error', reject);
  return promise;
}

/** Serial numbers are written with and without leading zeros, in either case. */
function normal(hex: string): string {
  return hex.toLowerCase().replace(/^0+/, '');
}
