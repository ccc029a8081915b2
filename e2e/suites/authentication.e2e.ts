import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAccessFixture, writeAuthenticator, type AccessFixture } from '../support/access-fixture.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { at } from '../support/kubernetes-objects.ts';
import type { HttpsResponse } from '../support/https-client.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Only a policy knows them. */
const DESK = 'desk-canary-7f3a9c51';
const VAULT = 'vault-canary-0b6e2d84';
/** Nobody knows it. */
const STRAY = 'stray-canary-c1d2e3f4';
const STATIC = { token: 'static-token-of-bob', name: 'bob', groups: ['staff'] };
const OWN_AUDIENCE = 'https://kubernetes.default.svc';

describeWithKubernetes('authentication', () => {
  let fixture: AccessFixture;

  /** Who the API server takes the bearer of a token for. */
  const whoami = (token: string): Promise<HttpsResponse> =>
    fixture.kube.request(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      { authorization: `Bearer ${token}` },
    );
  /** As a component in the cluster would ask. */
  const tokenReview = async (token: string, audiences?: readonly string[]): Promise<unknown> => {
    const spec = { token, ...(audiences === undefined ? {} : { audiences }) };
    const { status, body, text } = await fixture.kube.request(
      'POST',
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec },
    );
    equal(status, 201, text);
    return at(body, 'status');
  };

  before(async () => {
    fixture = await startAccessFixture({
      name: 'authentication',
      users: [STATIC],
      writePolicies: async (folder) => {
        await writeAuthenticator(folder, 'desk', {
          [DESK]: {
            user: { username: 'ana', uid: '7', groups: ['desk'], extra: { 'example.org/floor': ['2', '3'] } },
          },
        });
        await writeAuthenticator(folder, 'vault', {
          [VAULT]: { user: { username: 'vera' }, audiences: ['vault'] },
        });
      },
    });
  });

  after(() => fixture?.stop());

  test('a token that only a policy knows logs in, with uid, groups and extra', async () => {
    const { status, body, text } = await whoami(DESK);
    equal(status, 201, text);
    const info = at(body, 'status', 'userInfo') as Record<string, unknown>;
    deepEqual([info['username'], info['uid']], ['ana', '7']);
    deepEqual(info['groups'], ['desk', 'system:authenticated']);
    deepEqual((info['extra'] as Record<string, unknown>)['example.org/floor'], ['2', '3']);
    const kubectl = await fixture.kube.kubectl([
      'auth',
      'whoami',
      '--token',
      DESK,
      '-o',
      'jsonpath={.status.userInfo.username}',
    ]);
    // The kubeconfig has a token of its own, and an option goes before it.
    equal(kubectl.stdout, 'ana', kubectl.stderr);
  });

  test('a token that nobody knows does not', async () => {
    equal((await whoami(STRAY)).status, 401);
  });

  test('a token for another audience is no login, and known to who asks for that audience', async () => {
    equal((await whoami(VAULT)).status, 401);
    deepEqual(await tokenReview(VAULT, ['vault', 'other']), {
      authenticated: true,
      user: { username: 'vera', groups: ['system:authenticated'] },
      audiences: ['vault'],
    });
    equal(at(await tokenReview(VAULT, [OWN_AUDIENCE]), 'authenticated') ?? false, false);
    equal(at(await tokenReview(VAULT), 'authenticated') ?? false, false);
  });

  test('a token without audiences is for the API server, and for nobody else', async () => {
    deepEqual(at(await tokenReview(DESK, [OWN_AUDIENCE]), 'audiences'), [OWN_AUDIENCE]);
    equal(at(await tokenReview(DESK), 'authenticated'), true);
    equal(at(await tokenReview(DESK, ['vault']), 'authenticated') ?? false, false);
  });

  test('a policy that cannot answer lets nobody in and keeps nobody out', async () => {
    await writeAuthenticator(fixture.policies, 'a-broken', {}, { order: 1, limits: { fuel: 10 } });
    await waitUntil(
      async () => {
        equal((await whoami(STRAY)).status, 401);
        return (await fixture.decisions('policy=a-broken&faulted=true')).includes('PC_WASM_FUEL');
      },
      { what: 'the broken policy to be asked' },
    );
    equal((await whoami(DESK)).status, 201);
  });

  test('without us: our tokens are void, all others go on, and it is over when we are back', async () => {
    await fixture.portcullis.kill();
    // The API server remembers every token for ten seconds, whatever it is told to.
    await waitUntil(async () => (await whoami(DESK)).status === 401, { what: 'the token to be forgotten' });
    equal((await whoami(STATIC.token)).status, 201);
    equal((await fixture.kube.request('GET', '/api/v1/namespaces/kube-system')).status, 200);
    await fixture.restartPortcullis();
    await waitUntil(async () => (await whoami(DESK)).status === 201, { what: 'the token to be known again' });
  });

  test('no token is in any log, record or metric of ours', async () => {
    const { managementUrl } = fixture.portcullis;
    await whoami(STRAY);
    const decisions = await waitUntil(
      async () => {
        const text = await fixture.decisions('limit=1000');
        return text.includes('"user":"ana"') && text.includes('"outcome":"abstain"') ? text : false;
      },
      { what: 'the records of the last logins' },
    );
    const metrics = await (await fetch(`${managementUrl}/metrics`)).text();
    match(metrics, /portcullis_decisions_total\{gate="authentication",.*outcome="allow"\} [1-9]/);
    const logs = fixture.portcullis.logs();
    match(logs, /"gate":"authentication"/);
    for (const text of [decisions, metrics, logs]) ok(!text.includes('canary'));
  });
});
