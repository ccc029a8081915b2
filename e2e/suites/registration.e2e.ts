import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, Policy } from '../../packages/contract/src/index.ts';
import * as fc from 'fast-check';
import { neededPermissions } from '../../packages/server/src/cluster/doctor/needed-permissions.ts';
import { describeRegistration } from '../../packages/server/src/cluster/registration/describe-registration.ts';
import { isInForce } from '../../packages/server/src/cluster/registration/in-force.ts';
import { createRegistrar, type Registrar } from '../../packages/server/src/cluster/registration/registrar.ts';
import type {
  Registration,
  RegistrationOptions,
} from '../../packages/server/src/cluster/registration/registration-options.ts';
import { admissionPolicy } from '../../packages/server/test/cluster/generated-matches.ts';
import { makePolicy } from '../../packages/server/test/support/make-policy.ts';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { grantPermissions } from '../support/grant-permissions.ts';
import { openKubeAccess, type KubeAccess } from '../support/kube-access.ts';
import { kubeconfig } from '../support/kube-apiserver-files.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import { at, collectionPath, configMap, namespace, pod } from '../support/kubernetes-objects.ts';
import { startRecordingWebhook, type RecordingWebhook } from '../support/recording-webhook.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const OWN_USER = 'system:serviceaccount:portcullis:portcullis';
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1';
const VALIDATING = `${CONFIGURATIONS}/validatingwebhookconfigurations/portcullis`;
const MUTATING = `${CONFIGURATIONS}/mutatingwebhookconfigurations/portcullis`;
const MERGE = { 'content-type': 'application/merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

/** Conditions that are told to the API server, with everything that the printed form can hold. */
const CONDITIONS = [
  "request.operation in ['CREATE', 'UPDATE'] && request.kind.kind != 'Lease'",
  "request.userInfo.username.startsWith('system:') || request.userInfo.groups.exists(g, g == 'a\"b\\n')",
  "has(request.subResource) ? request.subResource == 'scale' : request.name.endsWith('-x')",
  'object != null && has(object.metadata.labels) && size(object.metadata.labels) > 1',
  "oldObject == null || !(oldObject.spec['paused'] == true)",
  'object.spec.containers.all(c, c.image.contains("/") && c.ports.exists(p, p.port >= 1024))',
  "'a' in object.metadata.finalizers && request.dryRun == false && request.options != null",
  "request.userInfo.groups[0] == 'x' && 'y' in request.userInfo.groups && size(request.namespace) < 64",
  'size(request.userInfo.groups) != 0 && request.requestKind.group == request.requestResource.group',
];

describeWithKubernetes('registration', () => {
  let kube: KubeApiserver;
  let access: KubeAccess;
  let webhook: RecordingWebhook;
  let options: RegistrationOptions;
  let policies: readonly Policy[] = [];
  let registrar: Registrar;
  const ownToken = randomBytes(16).toString('hex');

  const describe = (): Registration => describeRegistration(policies, options);

  async function live(path: string): Promise<JsonObject | undefined> {
    const { status, body } = await kube.request('GET', path);
    return status === 200 ? (body as JsonObject) : undefined;
  }

  async function isRegistered(): Promise<boolean> {
    const { validating, mutating } = describe();
    for (const [path, wanted] of [
      [VALIDATING, validating],
      [MUTATING, mutating],
    ] as const) {
      const found = await live(path);
      if (wanted === undefined ? found !== undefined : found === undefined || !isInForce(found, wanted))
        return false;
    }
    return true;
  }

  const registered = (): Promise<true> => waitUntil(isRegistered, { what: 'the registration' });

  /** No write comes any more: what we want and what the API server keeps are the same to us. */
  async function isQuiet(): Promise<void> {
    const versions = async (): Promise<unknown[]> =>
      Promise.all(
        [VALIDATING, MUTATING].map(async (path) => at(await live(path), 'metadata', 'resourceVersion')),
      );
    const seen = await versions();
    await sleep(1500);
    deepEqual(await versions(), seen);
  }

  before(async () => {
    const authority = await createAuthority();
    const directory = await createWorkDirectory('registration');
    const user = { token: ownToken, name: OWN_USER, groups: ['system:serviceaccounts'] };
    kube = await startKubeApiserver({ directory, users: [user] });
    webhook = await startRecordingWebhook(await issueServerCertificate(authority));
    options = {
      endpoint: { url: webhook.url },
      caBundle: authority.pem,
      ownNamespace: 'portcullis',
      ownUser: OWN_USER,
    };
    for (const name of ['portcullis', 'judged']) {
      equal((await kube.request('POST', '/api/v1/namespaces', namespace(name))).status, 201);
    }
    const permissions = neededPermissions({ namespace: 'portcullis', registration: 'portcullis' });
    for (const object of grantPermissions(OWN_USER, permissions)) {
      const created = await kube.request('POST', collectionPath(object), object);
      equal(created.status, 201, created.text);
    }
    const kubeconfigPath = join(directory, 'own-kubeconfig.json');
    await writeFile(kubeconfigPath, kubeconfig({ url: kube.url, caPem: kube.caPem, token: ownToken }));
    access = await openKubeAccess(kubeconfigPath);
  });

  after(async () => {
    await registrar?.stop();
    access?.client.close();
    webhook?.close();
    await kube?.stop();
  });

  test('the API server accepts every configuration, and keeps it as it was sent', async () => {
    const sets = fc.sample(fc.array(admissionPolicy, { minLength: 1, maxLength: 5 }), {
      seed: 7,
      numRuns: 120,
    });
    const conditions = CONDITIONS.map((expression, index) => [
      makePolicy(`condition-${index}`, {
        match: { ...makePolicy('x').spec.match, conditions: [{ name: 'a b', expression }] },
      }),
    ]);
    let accepted = 0;
    for (const set of [...sets, ...conditions]) {
      const { validating, mutating } = describeRegistration(set, options);
      for (const [path, document] of [
        [VALIDATING, validating],
        [MUTATING, mutating],
      ] as const) {
        if (document === undefined) continue;
        const query = '?dryRun=All&fieldManager=portcullis&force=true&fieldValidation=Strict';
        const answer = await kube.request('PATCH', path + query, JSON.stringify(document), {
          'content-type': 'application/apply-patch+yaml',
        });
        ok(answer.status === 201, `${answer.text}\n${JSON.stringify(document, undefined, 1)}`);
        ok(isInForce(answer.body as JsonObject, document), answer.text);
        accepted += 1;
      }
    }
    ok(accepted > 150, String(accepted));
    for (const [index, [policy]] of conditions.entries()) {
      const { validating } = describeRegistration(policy === undefined ? [] : [policy], options);
      const names = (at(validating, 'webhooks', 0, 'matchConditions') as { name: string }[]).map(
        ({ name }) => name,
      );
      ok(names.includes('condition-1'), `${CONDITIONS[index]} stays with us`);
    }
  });

  test('with no more than the permissions that the doctor asks for: registered once ready, then quiet', async () => {
    policies = [makePolicy('wide'), makePolicy('quiet', { mode: 'audit' })];
    policies = [...policies, makePolicy('change', { phase: 'mutate' })];
    const readiness = Promise.withResolvers<void>();
    registrar = createRegistrar({
      ...access,
      namespace: 'portcullis',
      name: 'portcullis',
      describe,
      ready: () => readiness.promise,
      recordEvent: () => undefined,
    });
    registrar.start();
    await sleep(500);
    equal(await live(VALIDATING), undefined);
    readiness.resolve();
    await registered();
    await waitUntil(() => registrar.state().state === 'registered', { what: 'the registrar to know it' });
    await isQuiet();
    equal(registrar.state().repairs, 0);
  });

  test('asked: what policies judge; not asked: leases, events, node status, reviews, exempt namespaces, ourselves', async () => {
    const create = async (path: string, object: object, token?: string): Promise<void> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const { status, text } = await kube.request('POST', path, object, headers);
      ok(status === 201 || status === 200, text);
    };
    const probe = '/api/v1/namespaces/judged/pods?dryRun=All';
    await waitUntil(
      async () => {
        await create(probe, pod({ name: 'probe', namespace: 'judged' }));
        return webhook.calls.filter((call) => call.endsWith('pods')).length >= 3;
      },
      { what: 'the webhooks to be called' },
    );
    webhook.calls.length = 0;
    await create(probe, pod({ name: 'probe', namespace: 'judged' }));
    deepEqual(
      webhook.calls.toSorted((a, b) => a.localeCompare(b)),
      [
        '/admission/fail/mutate CREATE pods',
        '/admission/fail/validate CREATE pods',
        '/admission/ignore/validate CREATE pods',
      ],
    );
    webhook.calls.length = 0;
    await create('/apis/coordination.k8s.io/v1/namespaces/judged/leases', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'a' },
      spec: {},
    });
    await create('/api/v1/namespaces/judged/events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'a' },
      involvedObject: { namespace: 'judged' },
    });
    await create('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
    });
    await create(
      '/api/v1/namespaces/portcullis/configmaps',
      configMap({ namespace: 'portcullis', name: 'own' }, {}),
    );
    await create(
      '/api/v1/namespaces/kube-system/configmaps',
      configMap({ namespace: 'kube-system', name: 'a' }, {}),
    );
    // Our own user may do little; an event is one of it.
    await create(
      '/apis/events.k8s.io/v1/namespaces/default/events',
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'b' },
        eventTime: new Date().toISOString().replace('Z', '000Z'),
        reportingController: 'a/b',
        reportingInstance: 'c',
        action: 'Try',
        reason: 'Test',
        type: 'Normal',
      },
      ownToken,
    );
    deepEqual(webhook.calls, []);
    await create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } });
    equal(webhook.calls.length, 3);
    webhook.calls.length = 0;
    const body = { status: { phase: 'Running' } };
    equal((await kube.request('PATCH', '/api/v1/nodes/n/status', body, MERGE)).status, 200);
    deepEqual(webhook.calls, []);
  });

  test('tampering is put right, whatever it is', async () => {
    const repairs = registrar.state().repairs;
    const patches: readonly (readonly [string, object, Readonly<Record<string, string>>])[] = [
      [VALIDATING, [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }], JSON_PATCH],
      [MUTATING, { webhooks: [] }, MERGE],
      [
        VALIDATING,
        [{ op: 'add', path: '/webhooks/0/matchConditions/-', value: { name: 'never', expression: 'false' } }],
        JSON_PATCH,
      ],
      [MUTATING, { metadata: { labels: { 'app.kubernetes.io/managed-by': 'somebody' } } }, MERGE],
    ];
    for (const [index, [path, patch, headers]] of patches.entries()) {
      const text = JSON.stringify(patch);
      equal((await kube.request('PATCH', `${path}?fieldManager=vandal`, text, headers)).status, 200);
      // The second repair of one object within minutes waits two seconds.
      await waitUntil(
        async () => registrar.state().repairs === repairs + index + 1 && (await isRegistered()),
        {
          what: `repair ${index + 1}`,
        },
      );
    }
    await isQuiet();
  });

  test('what was deleted comes back', async () => {
    const repairs = registrar.state().repairs;
    equal((await kube.request('DELETE', VALIDATING)).status, 200);
    equal((await kube.request('DELETE', MUTATING)).status, 200);
    await waitUntil(async () => registrar.state().repairs >= repairs + 2 && (await isRegistered()), {
      what: 'both to come back',
    });
  });

  test('policies change: a webhook goes, and with the last one its configuration', async () => {
    const repairs = registrar.state().repairs;
    policies = [makePolicy('wide', { failurePolicy: 'Ignore' })];
    registrar.refresh();
    await registered();
    equal(await live(MUTATING), undefined);
    await isQuiet();
    equal(registrar.state().repairs, repairs);
  });

  test('the switch: a ConfigMap takes both away, and they come back with its end', async () => {
    policies = [makePolicy('wide'), makePolicy('change', { phase: 'mutate' })];
    registrar.refresh();
    await registered();
    const path = '/api/v1/namespaces/portcullis/configmaps';
    equal(
      (await kube.request('POST', path, configMap({ namespace: 'portcullis', name: 'portcullis-off' }, {})))
        .status,
      201,
    );
    await waitUntil(
      async () => (await live(VALIDATING)) === undefined && (await live(MUTATING)) === undefined,
      { what: 'both to go' },
    );
    await waitUntil(() => registrar.state().state === 'switched-off', { what: 'the state to say so' });
    registrar.refresh();
    await sleep(500);
    equal(await live(VALIDATING), undefined);
    equal((await kube.request('DELETE', `${path}/portcullis-off`)).status, 200);
    await registered();
  });

  test('removal takes both away for good', async () => {
    equal(await registrar.remove(), undefined);
    await sleep(500);
    equal(await live(VALIDATING), undefined);
    equal(await live(MUTATING), undefined);
    equal(registrar.state().state, 'off');
  });
});
