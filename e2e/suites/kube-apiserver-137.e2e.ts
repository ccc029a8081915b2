import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { freePorts } from '../support/free-ports.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import {
  at,
  collectionPath,
  mutatingWebhookConfiguration,
  namespace,
  pod,
  validatingWebhookConfiguration,
  type KubernetesObject,
  type WebhookOptions,
  type WebhookRule,
} from '../support/kubernetes-objects.ts';
import { portcullisConfig, writePolicy, writePortcullisFiles } from '../support/portcullis-config.ts';
import { startPortcullis, type Portcullis } from '../support/portcullis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const POLICIES = join(import.meta.dirname, '..', '..', 'policies');
const GOOD = 'registry.k8s.io/pause:3.10';
const BAD = 'quay.io/acme/app:1';
const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const REGISTRATION: WebhookRule = {
  apiGroups: ['admissionregistration.k8s.io'],
  apiVersions: ['v1'],
  operations: ['DELETE'],
  resources: ['validatingwebhookconfigurations'],
};
const DENIED = /\[guard\] webhook configurations stay/;

// The next version of Kubernetes: what users have today goes on, and webhooks that the API server loads from files.
describeWithKubernetes(
  'kube-apiserver 1.37',
  () => {
    let kube: KubeApiserver;
    let portcullis: Portcullis;
    let manifests: string;
    let endpoint: (phase: 'validate' | 'mutate') => Pick<WebhookOptions, 'url' | 'caPem'>;

    const create = (object: KubernetesObject, query = ''): ReturnType<KubeApiserver['request']> =>
      kube.request('POST', collectionPath(object) + query, object);
    const tryDeletion = (name: string): ReturnType<KubeApiserver['request']> =>
      kube.request('DELETE', `${HOOKS}/${name}?dryRun=All`);
    const becomes = (name: string, status: number): Promise<unknown> =>
      waitUntil(async () => (await tryDeletion(name)).status === status, {
        what: `deletion of ${name} to be answered ${status}`,
      });
    /** Whole or not at all, as an operator's tool should write it. */
    async function writeManifest(text: string): Promise<void> {
      await writeFile(join(manifests, 'guard.next'), text);
      await rename(join(manifests, 'guard.next'), join(manifests, 'guard.yaml'));
    }
    const guard = (rules: readonly WebhookRule[]): string =>
      JSON.stringify(
        validatingWebhookConfiguration({
          name: 'guard.static.k8s.io',
          webhook: 'guard.portcullis.test',
          rules,
          ...endpoint('validate'),
        }),
      );

    before(async () => {
      const directory = await createWorkDirectory('kube-137');
      const authority = await createAuthority();
      const files = await writePortcullisFiles(directory, await issueServerCertificate(authority));
      await writePolicies(files.policies);
      const [port = 0, managementPort = 0] = await freePorts(2);
      endpoint = (phase) => ({ url: `https://127.0.0.1:${port}/admission/${phase}`, caPem: authority.pem });
      manifests = join(directory, 'manifests');
      await mkdir(manifests);
      await writeManifest(guard([REGISTRATION]));
      [kube, portcullis] = await Promise.all([
        startKubeApiserver({
          directory: await createWorkDirectory('kube-137-kubernetes'),
          version: '1.37',
          admissionControl: { validatingManifests: manifests },
        }),
        startPortcullis({
          directory,
          config: portcullisConfig({ files, port, managementPort }),
          managementPort,
        }),
      ]);
      equal((await create(namespace('judged'))).status, 201);
      const hooks = [
        validatingWebhookConfiguration({ name: 'validate', namespace: 'judged', ...endpoint('validate') }),
        mutatingWebhookConfiguration({ name: 'mutate', namespace: 'judged', ...endpoint('mutate') }),
      ];
      for (const hook of hooks) equal((await create(hook)).status, 201);
      await waitUntil(async () => (await create(judged(BAD), '?dryRun=All')).status === 422, {
        what: 'the validating webhook to act',
      });
    });

    after(async () => {
      const [exit] = await Promise.all([portcullis?.stop(), kube?.stop()]);
      deepEqual(exit, { code: 0, signal: null }, portcullis?.logs());
    });

    test('admits, mutates and denies as on the version before', async () => {
      equal(at((await kube.request('GET', '/version')).body, 'gitVersion'), 'v1.37.0');
      const denied = await create(judged(BAD));
      equal(denied.status, 422, denied.text);
      match(String(at(denied.body, 'message')), /\[image-registry\] .*quay\.io\/acme\/app:1/);
      const made = await waitUntil(
        async () => {
          const answer = await create(judged(GOOD), '?dryRun=All');
          return at(answer.body, 'metadata', 'labels', 'team') === 'unassigned' && answer;
        },
        { what: 'the mutating webhook to act' },
      );
      equal(made.status, 201, made.text);
      const byKubectl = await kube.kubectl(['create', '-f', '-'], JSON.stringify(judged(GOOD)));
      equal(byKubectl.code, 0, byKubectl.stderr);
    });

    test('a webhook from a file guards registrations, which one of the API cannot', async () => {
      const refused = await kube.request('DELETE', `${HOOKS}/validate`);
      equal(refused.status, 403, refused.text);
      match(String(at(refused.body, 'message')), DENIED);
      const other = await kube.request('DELETE', HOOKS);
      equal(other.status, 403, other.text);
      const byKubectl = await kube.kubectl(['delete', 'validatingwebhookconfiguration', 'validate']);
      equal(byKubectl.code, 1);
      match(byKubectl.stderr, DENIED);

      const rules = [{ ...REGISTRATION, resources: ['mutatingwebhookconfigurations'] }];
      const powerless = validatingWebhookConfiguration({
        name: 'powerless',
        rules,
        ...endpoint('validate'),
      });
      equal((await create(powerless)).status, 201);
      // Nothing can tell that it acts, so it gets the time that others need to act, and more.
      await new Promise((resolve) => void setTimeout(resolve, 1000));
      const path = HOOKS.replace('validating', 'mutating');
      equal((await kube.request('DELETE', `${path}/mutate?dryRun=All`)).status, 200);
    });

    test('the API refuses the names of files, and does not show what they hold', async () => {
      const taken = validatingWebhookConfiguration({ name: 'guard.static.k8s.io', ...endpoint('validate') });
      const refused = await create(taken);
      equal(refused.status, 422, refused.text);
      match(refused.text, /static\.k8s\.io/);
      equal((await kube.request('GET', `${HOOKS}/guard.static.k8s.io`)).status, 404);
    });

    test('a changed file is in force, a broken one leaves the last good one', async () => {
      await writeManifest(guard([{ ...REGISTRATION, resources: ['mutatingwebhookconfigurations'] }]));
      await becomes('validate', 200);
      const path = HOOKS.replace('validating', 'mutating');
      equal((await kube.request('DELETE', `${path}/mutate?dryRun=All`)).status, 403);
      await writeManifest(guard([REGISTRATION]));
      await becomes('validate', 403);

      const failures = await failedReloads(kube);
      const broken = [
        'kind: [broken',
        guard([REGISTRATION]).replace('guard.static.k8s.io', 'guard'),
        guard([REGISTRATION]).replace('"url"', '"urls"'),
      ];
      for (const [index, text] of broken.entries()) {
        await writeManifest(text);
        await waitUntil(async () => (await failedReloads(kube)) > failures + index, {
          what: `broken file ${index} to be noticed`,
        });
        equal((await tryDeletion('validate')).status, 403);
      }
      await writeManifest(guard([{ ...REGISTRATION, resources: ['mutatingwebhookconfigurations'] }]));
      await becomes('validate', 200);
      await writeManifest(guard([REGISTRATION]));
      await becomes('validate', 403);
    });

    test('after a restart, and in a server without data, it guards from the first request on', async () => {
      await kube.restart();
      equal((await tryDeletion('validate')).status, 403);
      await kube.replace();
      equal((await tryDeletion('validate')).status, 404);
      const hook = validatingWebhookConfiguration({ name: 'validate', ...endpoint('validate') });
      equal((await create(hook)).status, 201);
      equal((await tryDeletion('validate')).status, 403);
    });
  },
  ['kubernetes-1.36', 'kubernetes-1.37'],
);

function judged(image: string): KubernetesObject {
  return pod({ name: 'judged', namespace: 'judged' }, image);
}

/** How often files could not be loaded, as the API server counts. */
async function failedReloads(kube: KubeApiserver): Promise<number> {
  const { text } = await kube.request('GET', '/metrics', undefined, { accept: 'text/plain' });
  const name = 'apiserver_manifest_admission_config_controller_automatic_reloads_total';
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes('status="failure"'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function writePolicies(folder: string): Promise<void> {
  const example = (name: string): Promise<Uint8Array> => readFile(join(POLICIES, name, `${name}.wasm`));
  const pods = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
  await writePolicy(folder, 'image-registry', await example('image-registry'), {
    match: { operations: ['CREATE', 'UPDATE'], resources: pods },
    settings: { registries: ['registry.k8s.io/'] },
  });
  await writePolicy(folder, 'default-labels', await example('default-labels'), {
    phase: 'mutate',
    match: { operations: ['CREATE'], resources: pods },
    settings: { labels: { team: 'unassigned' } },
  });
  const { apiGroups, apiVersions } = REGISTRATION;
  const resources = ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'];
  await writePolicy(
    folder,
    'guard',
    await fixedPolicy({ allowed: false, message: 'webhook configurations stay' }),
    { match: { operations: ['DELETE'], resources: [{ apiGroups, apiVersions, resources }] } },
  );
}
