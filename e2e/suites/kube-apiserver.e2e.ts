import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { startBalancer } from '../support/balancer.ts';
import { createAuthority, issueServerCertificate, type Authority } from '../support/certificates.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { freePort } from '../support/free-ports.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import {
  at,
  collectionPath,
  mutatingWebhookConfiguration,
  namespace,
  pod,
  validatingWebhookConfiguration,
  type KubernetesObject,
} from '../support/kubernetes-objects.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

type Answer = Readonly<Record<string, unknown>>;

const DENIAL: Answer = {
  allowed: false,
  status: { code: 403, message: 'no pods today\ntry again tomorrow' },
  warnings: ['a warning with “quotes” and a " mark'],
  auditAnnotations: { rule: 'no-pods' },
};

// The harness itself is the subject: it must show what a real API server does with a webhook's answers.
describeWithKubernetes('kube-apiserver', () => {
  let kube: KubeApiserver;
  let authority: Authority;

  before(async () => {
    authority = await createAuthority();
    kube = await startKubeApiserver({
      directory: await createWorkDirectory('kube-apiserver'),
      users: [{ token: 'token-of-alice', name: 'alice', groups: ['devs'] }],
    });
  });
  after(async () => {
    const exit = await kube?.stop();
    deepEqual(exit, { code: 0, signal: null });
  });

  const create = (object: KubernetesObject, query = ''): ReturnType<KubeApiserver['request']> =>
    kube.request('POST', collectionPath(object) + query, object);

  test('creates a namespace and pods by kubectl and by HTTP', async () => {
    const made = await kube.kubectl(['create', '-f', '-'], JSON.stringify(namespace('plain')));
    deepEqual(made, { code: 0, stdout: 'namespace/plain created\n', stderr: '' });
    const byHttp = await create(pod({ name: 'by-http', namespace: 'plain' }));
    equal(byHttp.status, 201, byHttp.text);
    equal(at(byHttp.body, 'spec', 'containers', 0, 'image'), 'registry.test/app:1');
    const byKubectl = await kube.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify(pod({ name: 'by-kubectl', namespace: 'plain' })),
    );
    equal(byKubectl.stdout, 'pod/by-kubectl created\n', byKubectl.stderr);
    const listed = await kube.kubectl(['get', 'pods', '--namespace', 'plain', '--output', 'name']);
    equal(listed.stdout, 'pod/by-http\npod/by-kubectl\n');
    const refused = await kube.kubectl(['get', 'pods', '--as', 'nobody']);
    equal(refused.code, 1);
    match(refused.stderr, /pods is forbidden: User "nobody" cannot list resource "pods"/);
    const asAlice = { authorization: 'Bearer token-of-alice' };
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
    const alice = await kube.request(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      review,
      asAlice,
    );
    deepEqual(at(alice.body, 'status', 'userInfo', 'groups'), ['devs', 'system:authenticated']);
    equal((await kube.request('GET', '/api/v1/pods', undefined, asAlice)).status, 403);
    const stranger = await kube.request('GET', '/api/v1/pods', undefined, { authorization: 'Bearer wrong' });
    equal(stranger.status, 401);
  });

  test('passes denial, warning and audit annotation of a webhook on', async () => {
    await using webhook = await startWebhook(authority, () => DENIAL);
    await create(namespace('denied'));
    const configuration = validatingWebhookConfiguration({ name: 'denier', namespace: 'denied', ...webhook });
    equal((await create(configuration)).status, 201);
    const object = pod({ name: 'unwanted', namespace: 'denied' });
    const answer = await waitUntil(
      async () => {
        const tried = await create(object, '?dryRun=All');
        return tried.status === 403 && tried;
      },
      { what: 'the webhook to act' },
    );
    const message =
      'admission webhook "denier.portcullis.test" denied the request: no pods today\ntry again tomorrow';
    equal(at(answer.body, 'message'), message);
    deepEqual(answer.warnings, ['a warning with “quotes” and a " mark']);

    const kubectl = await kube.kubectl(['create', '-f', '-'], JSON.stringify(object));
    equal(kubectl.code, 1);
    match(kubectl.stderr, /^Warning: a warning with “quotes” and a " mark$/m);
    ok(kubectl.stderr.includes(message), kubectl.stderr);
    equal(webhook.reviews.length, 2);
    equal(at(webhook.reviews, 1, 'request', 'userInfo', 'username'), 'admin');
    equal(at(webhook.reviews, 1, 'request', 'object', 'metadata', 'name'), 'unwanted');

    const event = await waitUntil(
      () =>
        kube
          .auditEvents()
          .find(
            ({ objectRef, requestURI }) => objectRef?.name === 'unwanted' && !requestURI.includes('dryRun'),
          ),
      { what: 'the audit event of the denied pod' },
    );
    equal(event.responseStatus?.code, 403);
    equal(event.annotations?.['denier.portcullis.test/rule'], 'no-pods');
  });

  test('applies the patch of a mutating webhook and records it', async () => {
    const patch = JSON.stringify([{ op: 'add', path: '/metadata/labels', value: { seen: 'yes' } }]);
    await using webhook = await startWebhook(authority, () => ({
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(patch).toString('base64'),
    }));
    await create(namespace('patched'));
    await create(mutatingWebhookConfiguration({ name: 'labeller', namespace: 'patched', ...webhook }));
    await waitUntil(
      async () => {
        const { body } = await create(pod({ name: 'labelled', namespace: 'patched' }), '?dryRun=All');
        return at(body, 'metadata', 'labels', 'seen') === 'yes';
      },
      { what: 'the webhook to act' },
    );
    const created = await create(pod({ name: 'labelled', namespace: 'patched' }));
    equal(created.status, 201, created.text);
    equal(at(created.body, 'metadata', 'labels', 'seen'), 'yes');
    const event = await waitUntil(
      () => kube.auditEvents().find(({ requestURI }) => requestURI === '/api/v1/namespaces/patched/pods'),
      { what: 'the audit event of the patched pod' },
    );
    const key = 'patch.webhook.admission.k8s.io/round_0_index_0';
    ok(event.annotations?.[key]?.includes('"seen":"yes"'), JSON.stringify(event.annotations));
  });

  test('a dead webhook blocks under Fail and is passed over under Ignore', async () => {
    const webhook = await startWebhook(authority, () => DENIAL);
    const failing = validatingWebhookConfiguration({ name: 'failing', namespace: 'fail', ...webhook });
    const ignoring = validatingWebhookConfiguration({
      name: 'ignoring',
      namespace: 'ignore',
      failurePolicy: 'Ignore',
      ...webhook,
    });
    for (const object of [namespace('fail'), namespace('ignore'), failing, ignoring]) {
      equal((await create(object)).status, 201);
    }
    for (const name of ['fail', 'ignore']) {
      await waitUntil(
        async () => (await create(pod({ name: 'probe', namespace: name }), '?dryRun=All')).status === 403,
        { what: `the webhook to act in ${name}` },
      );
    }
    await webhook[Symbol.asyncDispose]();

    const blocked = await create(pod({ name: 'late', namespace: 'fail' }));
    equal(blocked.status, 500);
    equal(at(blocked.body, 'reason'), 'InternalError');
    match(String(at(blocked.body, 'message')), /failed calling webhook "failing.portcullis.test"/);
    const passed = await create(pod({ name: 'late', namespace: 'ignore' }));
    equal(passed.status, 201, passed.text);
    const event = await waitUntil(
      () => kube.auditEvents().find(({ requestURI }) => requestURI === '/api/v1/namespaces/ignore/pods'),
      { what: 'the audit event of the ignored failure' },
    );
    equal(
      event.annotations?.['failed-open.validating.webhook.admission.k8s.io/round_0_index_0'],
      'ignoring.portcullis.test',
    );
  });

  test('reaches two webhooks through a balancer, and loses nothing when one leaves the rotation', async (t) => {
    await using a = await startWebhook(authority, () => ({ allowed: true }));
    await using b = await startWebhook(authority, () => ({ allowed: true }));
    const balancer = await startBalancer({
      backends: [
        { name: 'a', port: a.port, probe: async () => true },
        { name: 'b', port: b.port, probe: async () => true },
      ],
    });
    t.after(() => balancer.close());
    const url = `https://127.0.0.1:${balancer.port}/validate`;
    await create(namespace('balanced'));
    await create(
      validatingWebhookConfiguration({ name: 'balanced', namespace: 'balanced', url, caPem: authority.pem }),
    );
    await waitUntil(
      async () => {
        await create(pod({ name: 'probe', namespace: 'balanced' }), '?dryRun=All');
        return a.reviews.length + b.reviews.length > 0;
      },
      { what: 'the webhooks to act' },
    );
    const createMany = async (prefix: string): Promise<void> => {
      const names = Array.from({ length: 40 }, (_, index) => `${prefix}-${index}`);
      const answers = await Promise.all(names.map((name) => create(pod({ name, namespace: 'balanced' }))));
      deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
    };
    await createMany('both');
    ok(a.reviews.length > 0 && b.reviews.length > 0, `${a.reviews.length} and ${b.reviews.length} reviews`);
    const open = balancer.connections('b');
    balancer.remove('b');
    await createMany('one');
    // The API server keeps at most 25 idle connections to one host, so some of them may have gone.
    ok(balancer.connections('b') <= open);
    equal(balancer.counts().unserved + balancer.counts().refused, 0);
  });

  test('keeps its data over a kill and a restart', async () => {
    equal((await create(namespace('kept'))).status, 201);
    deepEqual(await kube.kill(), { code: null, signal: 'SIGKILL' });
    await kube.restart();
    equal((await kube.request('GET', '/api/v1/namespaces/kept')).status, 200);
    notEqual((await kube.kubectl(['get', 'namespace', 'never'])).code, 0);
  });
});

interface Webhook extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  /** Parsed reviews, in order of arrival. */
  readonly reviews: readonly unknown[];
}

/** A webhook of a few lines that gives one answer to every review. */
async function startWebhook(authority: Authority, answer: () => Answer): Promise<Webhook> {
  const identity = await issueServerCertificate(authority);
  const reviews: unknown[] = [];
  const options = {
    cert: identity.certificatePem,
    key: identity.keyPem,
    ALPNProtocols: ['http/1.1'],
    // The API server keeps connections for 90 s and does not repeat a call on one that we closed.
    keepAliveTimeout: 100_000,
  };
  const server = createServer(options, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const review: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      reviews.push(review);
      const uid = at(review, 'request', 'uid');
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid, ...answer() },
        }),
      );
    });
  });
  // `closeAllConnections` misses those that are still in their handshake, and the API server keeps them for 90 s.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${port}/validate`,
    port,
    caPem: authority.pem,
    reviews,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
