import { deepEqual, equal, match } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  startAccessFixture,
  writeAuthenticator,
  writeAuthorizer,
  type AccessFixture,
} from '../support/access-fixture.ts';
import { bindRole } from '../support/bind-role.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import type { HttpsResponse } from '../support/https-client.ts';
import { at } from '../support/kubernetes-objects.ts';
import type { CommandResult } from '../support/run-command.ts';
import { waitUntil } from '../support/wait-until.ts';

const ANA = 'desk-canary-7f3a9c51';
/** The API server knows him without us. */
const BOB = { token: 'static-token-of-bob', name: 'bob', groups: ['staff'] };
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const EVERY = { apiVersions: ['*'], apiGroups: [''] };

describeWithKubernetes('authorization', () => {
  let fixture: AccessFixture;

  const request = (token: string, method: string, path: string, body?: object): Promise<HttpsResponse> =>
    fixture.kube.request(method, path, body, { authorization: `Bearer ${token}` });
  const canI = (token: string, ...args: readonly string[]): Promise<CommandResult> =>
    fixture.kube.kubectl(['auth', 'can-i', ...args, '--token', token]);
  const configMap = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

  before(async () => {
    fixture = await startAccessFixture({
      name: 'authorization',
      users: [BOB],
      writePolicies: async (folder) => {
        await writeAuthenticator(folder, 'desk', { [ANA]: { user: { username: 'ana', groups: ['desk'] } } });
        await writeAuthorizer(
          folder,
          'keep-config',
          { allowed: false, denied: true, reason: 'configuration is kept' },
          {
            match: {
              verbs: ['delete', 'deletecollection'],
              resources: [{ ...EVERY, resources: ['configmaps'] }],
            },
          },
        );
        await writeAuthorizer(
          folder,
          'desk-reads',
          { allowed: true, reason: 'the desk may look' },
          {
            match: {
              verbs: ['get', 'list'],
              groups: ['desk'],
              resources: [{ ...EVERY, resources: ['pods', 'pods/log'] }],
              nonResourceURLs: ['/metrics'],
            },
          },
        );
      },
    });
    // Both may do everything with ConfigMaps, as far as RBAC goes.
    await bindRole(fixture.kube, {
      name: 'config',
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }],
      subjects: [
        { kind: 'User', name: 'ana' },
        { kind: 'User', name: 'bob' },
      ],
    });
    await waitUntil(async () => (await request(BOB.token, 'GET', CONFIG_MAPS)).status === 200, {
      what: 'RBAC to know the binding',
    });
  });

  after(() => fixture?.stop());

  test('kubectl auth can-i: yes, no, and no with a reason', async () => {
    const yes = await canI(ANA, 'list', 'pods');
    deepEqual([yes.code, yes.stdout.trim()], [0, 'yes'], yes.stderr);
    const no = await canI(ANA, 'create', 'pods');
    deepEqual([no.code, no.stdout.trim()], [1, 'no'], no.stderr);
    const denied = await canI(ANA, 'delete', 'configmaps');
    deepEqual(
      [denied.code, denied.stdout.trim()],
      [1, 'no - [keep-config] configuration is kept'],
      denied.stderr,
    );
    equal((await canI(ANA, 'get', 'pods', '--subresource=log')).stdout.trim(), 'yes');
    equal((await canI(ANA, 'get', '/metrics')).stdout.trim(), 'yes');
    equal((await canI(ANA, 'get', '/logs')).stdout.trim(), 'no');
    equal((await canI(BOB.token, 'get', '/metrics')).stdout.trim(), 'no');
  });

  test('what only our policy allows is done, for whom it is meant', async () => {
    equal((await request(ANA, 'GET', '/api/v1/namespaces/default/pods')).status, 200);
    equal((await request(BOB.token, 'GET', '/api/v1/namespaces/default/pods')).status, 403);
  });

  test('a verb that only our policy denies: RBAC allows it, and it is not done', async () => {
    for (const token of [ANA, BOB.token]) {
      const name = token === ANA ? 'of-ana' : 'of-bob';
      equal((await request(token, 'POST', CONFIG_MAPS, configMap(name))).status, 201);
      const denied = await request(token, 'DELETE', `${CONFIG_MAPS}/${name}`);
      equal(denied.status, 403);
      match(
        String(at(denied.body, 'message')),
        /cannot delete resource "configmaps".*\[keep-config\] configuration is kept$/,
      );
      equal((await request(token, 'GET', `${CONFIG_MAPS}/${name}`)).status, 200);
    }
    equal((await request(ANA, 'DELETE', CONFIG_MAPS)).status, 403);
  });

  test('the administrator is never asked about', async () => {
    const { kube } = fixture;
    equal((await kube.request('POST', CONFIG_MAPS, configMap('of-admin'))).status, 201);
    equal((await kube.request('DELETE', `${CONFIG_MAPS}/of-admin`)).status, 200);
  });

  test('v1beta1, with its own name for groups', async () => {
    const v1beta1 = (): Promise<boolean> =>
      // A group that only the other version's reader would miss.
      canI(ANA, 'list', 'pods').then(({ stdout }) => stdout.trim() === 'yes');
    await fixture.webhooks.writeAuthorizers({ version: 'v1beta1' });
    await reloaded(1);
    equal(await v1beta1(), true);
    equal((await request(ANA, 'DELETE', `${CONFIG_MAPS}/of-ana`)).status, 403);
    await fixture.webhooks.writeAuthorizers({});
    await reloaded(2);
  });

  test('without us and NoOpinion: what others allow is allowed, what we forbid too', async () => {
    await fixture.portcullis.kill();
    equal((await request(BOB.token, 'GET', CONFIG_MAPS)).status, 200);
    // Where nobody allows and somebody could not be asked, the API server answers with an error of its own.
    equal((await request(BOB.token, 'GET', '/api/v1/namespaces/default/pods')).status, 500);
    equal((await request(BOB.token, 'DELETE', `${CONFIG_MAPS}/of-bob`)).status, 200);
  });

  test('without us and Deny: nobody but the administrator may do anything, until we are back', async () => {
    await fixture.webhooks.writeAuthorizers({ failurePolicy: 'Deny' });
    await waitUntil(async () => (await request(BOB.token, 'GET', CONFIG_MAPS)).status === 500, {
      what: 'the API server to deny without us',
    });
    equal((await fixture.kube.request('GET', CONFIG_MAPS)).status, 200);
    equal((await fixture.kube.request('POST', CONFIG_MAPS, configMap('mended'))).status, 201);
    await fixture.restartPortcullis();
    await waitUntil(async () => (await request(BOB.token, 'GET', CONFIG_MAPS)).status === 200, {
      what: 'the API server to ask us again',
    });
    equal((await request(BOB.token, 'DELETE', `${CONFIG_MAPS}/mended`)).status, 403);
  });

  test('the records say who wanted to do what', async () => {
    const found = await waitUntil(
      async () => {
        const text = await fixture.decisions('policy=keep-config&outcome=deny');
        const { items } = JSON.parse(text) as { items: Record<string, unknown>[] };
        return items[0] ?? false;
      },
      { what: 'the record of a denial' },
    );
    deepEqual(
      [found['gate'], found['user'], found['verb'], found['name'], found['message']],
      ['authorization', 'bob', 'delete', 'mended', '[keep-config] configuration is kept'],
    );
  });

  /** Until the API server has read the file of authorizers so many times more than at its start. */
  function reloaded(times: number): Promise<unknown> {
    return waitUntil(
      async () => {
        const { text } = await fixture.kube.request('GET', '/metrics', undefined, { accept: 'text/plain' });
        const line =
          /^apiserver_authorization_config_controller_automatic_reloads_total\{.*status="success".*\} (\d+)/m.exec(
            text,
          );
        return Number(line?.[1] ?? 0) >= times;
      },
      { what: `${times} reloads of the authorizers`, within: 120_000 },
    );
  }
});
