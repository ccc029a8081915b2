import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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
  type WebhookRule,
} from '../support/kubernetes-objects.ts';
import { portcullisConfig, writePolicy, writePortcullisFiles } from '../support/portcullis-config.ts';
import { startPortcullis, type Portcullis } from '../support/portcullis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const POLICIES = join(import.meta.dirname, '..', '..', 'policies');
const PODS_MATCH = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
const ALL_POD_CALLS: WebhookRule = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  resources: ['pods'],
};

/** An image that the registry policy of this suite lets in. */
const GOOD = 'registry.k8s.io/pause:3.10';
const NAMESPACE = 'judged';

// Both of our webhooks at a real API server: what its clients see of our answers is the subject.
describeWithKubernetes('admission', () => {
  let kube: KubeApiserver;
  let portcullis: Portcullis;
  let restart: () => Promise<Portcullis>;
  let endpoint: { readonly url: string; readonly caPem: string };

  const create = (object: KubernetesObject, query = ''): ReturnType<KubeApiserver['request']> =>
    kube.request('POST', collectionPath(object) + query, object);
  const path = (name: string): string => `/api/v1/namespaces/${NAMESPACE}/pods/${name}`;

  before(async () => {
    const directory = await createWorkDirectory('admission');
    const authority = await createAuthority();
    const files = await writePortcullisFiles(directory, await issueServerCertificate(authority));
    await writePolicies(files.policies);
    const [port = 0, managementPort = 0] = await freePorts(2);
    const config = portcullisConfig({ files, port, managementPort });
    restart = () => startPortcullis({ directory, config, managementPort });
    [kube, portcullis] = await Promise.all([
      startKubeApiserver({ directory: await createWorkDirectory('admission-kubernetes') }),
      restart(),
    ]);

    equal((await create(namespace(NAMESPACE))).status, 201);
    const webhook = {
      caPem: authority.pem,
      namespace: NAMESPACE,
      rules: [ALL_POD_CALLS],
    };
    endpoint = { url: `https://127.0.0.1:${port}/admission/validate`, caPem: webhook.caPem };
    const url = `https://127.0.0.1:${port}/admission`;
    const hooks = [
      validatingWebhookConfiguration({ name: 'validate', url: `${url}/validate`, ...webhook }),
      mutatingWebhookConfiguration({ name: 'mutate', url: `${url}/mutate`, ...webhook }),
    ];
    for (const hook of hooks) equal((await create(hook)).status, 201);
    await waitUntil(
      async () => (await create(judged('probe', 'quay.io/x/y'), '?dryRun=All')).status === 422,
      {
        what: 'the validating webhook to act',
      },
    );
    await waitUntil(
      async () => {
        const { body } = await create(judged('probe'), '?dryRun=All');
        return at(body, 'metadata', 'labels', 'team') === 'unassigned';
      },
      { what: 'the mutating webhook to act' },
    );
  });

  after(async () => {
    const [exit] = await Promise.all([portcullis?.stop(), kube?.stop()]);
    deepEqual(exit, { code: 0, signal: null }, portcullis?.logs());
  });

  test('create: a denial whose text the client sees, by HTTP and by kubectl', async () => {
    const denied = await create(judged('denied', 'quay.io/acme/app:1'));
    equal(denied.status, 422, denied.text);
    const message = String(at(denied.body, 'message'));
    match(message, /^admission webhook "validate\.portcullis\.test" denied the request: \[image-registry\] /);
    match(message, /quay\.io\/acme\/app:1/);
    equal(at(denied.body, 'details', 'causes', 0, 'field'), 'spec.containers[0].image');
    const kubectl = await kube.kubectl(
      ['create', '-f', '-'],
      JSON.stringify(judged('denied', 'quay.io/acme/app:1')),
    );
    equal(kubectl.code, 1);
    match(kubectl.stderr, /quay\.io\/acme\/app:1/);
    equal((await kube.request('GET', path('denied'))).status, 404);
  });

  test('create: a mutation that is in the stored object', async () => {
    equal((await create(judged('mutated'))).status, 201);
    const stored = await kube.request('GET', path('mutated'));
    equal(at(stored.body, 'metadata', 'labels', 'team'), 'unassigned');
  });

  test('update: judged again, and a label that is set stays', async () => {
    equal((await create(judged('updated'))).status, 201);
    const bad = await kube.request(
      'PATCH',
      path('updated'),
      { spec: { containers: [{ name: 'app', image: 'quay.io/acme/app:1' }] } },
      { 'content-type': 'application/strategic-merge-patch+json' },
    );
    equal(bad.status, 422, bad.text);
    const good = await kube.request(
      'PATCH',
      path('updated'),
      { metadata: { labels: { team: 'blue' } } },
      { 'content-type': 'application/merge-patch+json' },
    );
    equal(at(good.body, 'metadata', 'labels', 'team'), 'blue', good.text);
  });

  test('server-side apply: judged as creation and as update', async () => {
    const applied = (image: string): ReturnType<KubeApiserver['request']> =>
      kube.request('PATCH', `${path('applied')}?fieldManager=e2e`, judged('applied', image), {
        'content-type': 'application/apply-patch+yaml',
      });
    equal((await applied('quay.io/acme/app:1')).status, 422);
    const made = await applied(GOOD);
    equal(made.status, 201, made.text);
    equal(at(made.body, 'metadata', 'labels', 'team'), 'unassigned');
    equal((await applied('quay.io/acme/app:1')).status, 422);
  });

  test('dry-run: judged, mutated, not stored', async () => {
    equal((await create(judged('dry', 'quay.io/acme/app:1'), '?dryRun=All')).status, 422);
    const tried = await create(judged('dry'), '?dryRun=All');
    equal(at(tried.body, 'metadata', 'labels', 'team'), 'unassigned');
    equal((await kube.request('GET', path('dry'))).status, 404);
  });

  test('delete and deletecollection: the name counts in both', async () => {
    equal((await create(judged('protected-1'))).status, 201);
    equal((await create(judged('free-1'))).status, 201);
    const single = await kube.request('DELETE', path('protected-1'));
    equal(single.status, 403, single.text);
    match(String(at(single.body, 'message')), /\[protect\] protected pods stay/);
    const collection = await kube.request('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods`);
    equal(collection.status, 403, collection.text);
    equal((await kube.request('GET', path('protected-1'))).status, 200);
    // The API server deletes the others side by side: whether this one was before the refusal is its matter.
    await kube.request('DELETE', path('free-1'));
    equal((await kube.request('GET', path('free-1'))).status, 404);
  });

  test('warnings reach the client, on admission and on denial', async () => {
    const admitted = await create(judged('warned'));
    ok(admitted.warnings.includes('[advice] would be denied: prefer digests'), admitted.warnings.join('\n'));
    const kubectl = await kube.kubectl(['create', '-f', '-'], JSON.stringify(judged('warned-2')));
    match(kubectl.stderr, /^Warning: \[advice\] would be denied: prefer digests$/m);
    const denied = await create(judged('warned-3', 'quay.io/acme/app:1'));
    equal(denied.status, 422);
    ok(denied.warnings.includes('[advice] would be denied: prefer digests'), denied.warnings.join('\n'));
  });

  test('audit annotations are in the audit log, in the form that Kubernetes keeps', async () => {
    equal((await create(judged('audited'))).status, 201);
    const event = await waitUntil(
      () => kube.auditEvents().find((item) => item.objectRef?.name === 'audited' && item.verb === 'create'),
      { what: 'the audit event' },
    );
    const annotations = Object.entries(event.annotations ?? {});
    const ours = annotations.filter(([key]) => key.startsWith('validate.portcullis.test/'));
    ok(
      ours.some(([key, value]) => key === 'validate.portcullis.test/noted.ticket' && value === 'OPS-1'),
      JSON.stringify(annotations),
    );
  });

  test('generateName: judged before and after the name is known', async () => {
    const { name: _none, ...metadata } = judged('x').metadata;
    const made = await create({ ...judged('x'), metadata: { ...metadata, generateName: 'generated-' } });
    equal(made.status, 201, made.text);
    match(String(at(made.body, 'metadata', 'name')), /^generated-/);
  });

  test('v1beta1: answered in the version that was sent', async () => {
    const hook = validatingWebhookConfiguration({
      name: 'old',
      namespace: 'old',
      ...endpoint,
      fields: { admissionReviewVersions: ['v1beta1'] },
    });
    equal((await create(namespace('old'))).status, 201);
    equal((await create(hook)).status, 201);
    const object = pod({ name: 'old', namespace: 'old' }, 'quay.io/acme/app:1');
    const denied = await waitUntil(
      async () => {
        const answer = await create(object, '?dryRun=All');
        return answer.status !== 201 && answer;
      },
      { what: 'the v1beta1 webhook to act' },
    );
    equal(denied.status, 422, denied.text);
    equal((await create(pod({ name: 'old', namespace: 'old' }, GOOD), '?dryRun=All')).status, 201);
  });

  test('decisions, policies and metrics tell of all this', async () => {
    const metrics = await (await fetch(`${portcullis.managementUrl}/metrics`)).text();
    match(metrics, /^portcullis_policy_evaluations_total\{[^}]*policy="image-registry"[^}]*\} [1-9]/m);
    match(metrics, /^portcullis_decisions_total\{[^}]*outcome="deny"[^}]*\} [1-9]/m);
    const unauthorised = await fetch(`${portcullis.managementUrl}/api/v1/policies`);
    equal(unauthorised.status, 401);
  });

  test('with the server killed, Fail refuses and Ignore admits', async () => {
    await portcullis.kill();
    try {
      const failed = await create(judged('dead'), '?dryRun=All');
      equal(failed.status, 500, failed.text);
      match(failed.text, /failed calling webhook/);
      for (const kind of ['validating', 'mutating']) {
        const url = `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/${kind === 'validating' ? 'validate' : 'mutate'}`;
        const patch = [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }];
        const patched = await kube.request('PATCH', url, patch, {
          'content-type': 'application/json-patch+json',
        });
        equal(patched.status, 200, patched.text);
      }
      await waitUntil(async () => (await create(judged('dead'), '?dryRun=All')).status === 201, {
        what: 'the changed failure policy to act',
      });
    } finally {
      portcullis = await restart();
    }
    await waitUntil(
      async () => (await create(judged('alive', 'quay.io/x/y'), '?dryRun=All')).status === 422,
      {
        what: 'the restarted server to judge again',
      },
    );
  });
});

function judged(name: string, image = GOOD): KubernetesObject {
  return pod({ name, namespace: NAMESPACE }, image);
}

async function writePolicies(folder: string): Promise<void> {
  const example = (name: string): Promise<Uint8Array> => readFile(join(POLICIES, name, `${name}.wasm`));
  await writePolicy(folder, 'image-registry', await example('image-registry'), {
    match: { operations: ['CREATE', 'UPDATE'], resources: PODS_MATCH },
    settings: { registries: ['registry.k8s.io/'] },
  });
  await writePolicy(folder, 'default-labels', await example('default-labels'), {
    phase: 'mutate',
    match: { operations: ['CREATE'], resources: PODS_MATCH },
    settings: { labels: { team: 'unassigned' } },
  });
  await writePolicy(
    folder,
    'protect',
    await fixedPolicy({ allowed: false, message: 'protected pods stay' }),
    {
      match: {
        operations: ['DELETE'],
        resources: PODS_MATCH,
        conditions: [{ name: 'protected', expression: 'oldObject.metadata.name.startsWith("protected-")' }],
      },
    },
  );
  await writePolicy(folder, 'advice', await fixedPolicy({ allowed: false, message: 'prefer digests' }), {
    mode: 'warn',
    match: { operations: ['CREATE'], resources: PODS_MATCH },
  });
  await writePolicy(
    folder,
    'noted',
    await fixedPolicy({ allowed: true, auditAnnotations: { ticket: 'OPS-1' } }),
    {
      match: { operations: ['CREATE'], resources: PODS_MATCH },
    },
  );
}
