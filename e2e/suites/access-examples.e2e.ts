import { deepEqual, equal, match } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { startAccessFixture, type AccessFixture } from '../support/access-fixture.ts';
import { bindRole } from '../support/bind-role.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import type { HttpsResponse } from '../support/https-client.ts';
import { at } from '../support/kubernetes-objects.ts';
import type { CommandResult } from '../support/run-command.ts';
import { waitUntil } from '../support/wait-until.ts';

const EXAMPLES = join(import.meta.dirname, '../../policies');
const AUTHENTICATOR = 'static-tokens-rust-wasi';
const AUTHORIZER = 'denied-verbs-go';
/** In the table of the example, by its digest. */
const ROBOT = 'desk-42';
/** The API server knows them without us. */
const CARLA = { token: 'static-token-of-carla', name: 'carla', groups: ['contractors', 'staff'] };
const BOB = { token: 'static-token-of-bob', name: 'bob', groups: ['staff'] };
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

interface PolicyDocument {
  spec: { settings: { tokens: object[]; rules: object[] }; systemNames?: readonly string[] };
}

/** The two example policies as they stand in their folders, and changed as their README says. */
describeWithKubernetes('the example authenticator and the example authorizer', () => {
  let fixture: AccessFixture;

  const as = (token: string, method: string, path: string, body?: object): Promise<HttpsResponse> =>
    fixture.kube.request(method, path, body, { authorization: `Bearer ${token}` });
  const auth = (token: string, ...args: readonly string[]): Promise<CommandResult> =>
    fixture.kube.kubectl(['auth', ...args, '--token', token]);
  const canI = async (token: string, ...args: readonly string[]): Promise<string> =>
    (await auth(token, 'can-i', ...args)).stdout.trim();
  const configMap = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

  async function edit(example: string, change: (document: PolicyDocument) => void): Promise<void> {
    const path = join(fixture.policies, example, 'policy.yaml');
    const document = parse(await readFile(path, 'utf8')) as PolicyDocument;
    change(document);
    await writeFile(path, stringify(document));
  }

  before(async () => {
    fixture = await startAccessFixture({
      name: 'access-examples',
      users: [CARLA, BOB],
      writePolicies: async (folder) => {
        for (const example of [AUTHENTICATOR, AUTHORIZER]) {
          await mkdir(join(folder, example));
          for (const file of ['policy.yaml', `${example}.wasm`])
            await copyFile(join(EXAMPLES, example, file), join(folder, example, file));
        }
      },
    });
    // As far as RBAC goes, robots and the staff may do everything with these.
    await bindRole(fixture.kube, {
      name: 'work',
      rules: [{ apiGroups: [''], resources: ['configmaps', 'pods', 'pods/exec'], verbs: ['*'] }],
      subjects: [
        { kind: 'Group', name: 'robots' },
        { kind: 'Group', name: 'staff' },
      ],
    });
    await waitUntil(async () => (await as(BOB.token, 'GET', CONFIG_MAPS)).status === 200, {
      what: 'RBAC to know the binding',
    });
  });

  after(() => fixture?.stop());

  test('kubectl auth whoami: a token that only the policy knows, and its groups count in RBAC', async () => {
    const { stdout, stderr } = await auth(ROBOT, 'whoami', '-o', 'json');
    const user = at(JSON.parse(stdout || '{}'), 'status', 'userInfo') as Record<string, unknown>;
    deepEqual(
      [user['username'], user['uid'], user['groups']],
      ['robot:desk', '7', ['desk', 'robots', 'system:authenticated']],
      stderr,
    );
    equal((await as(ROBOT, 'POST', CONFIG_MAPS, configMap('of-robot'))).status, 201);
  });

  test('a token that is not in the table is nobody', async () => {
    equal((await as('desk-43', 'GET', CONFIG_MAPS)).status, 401);
  });

  test('kubectl auth can-i: a verb that only the policy denies, to whom it is denied', async () => {
    const refusal = (verb: string, resource: string): string =>
      `no - [denied-verbs] members of contractors may not use ${verb} on ${resource}`;
    equal(await canI(CARLA.token, 'create', 'configmaps'), 'yes');
    equal(await canI(CARLA.token, 'delete', 'configmaps'), refusal('delete', 'configmaps'));
    equal(await canI(CARLA.token, 'create', 'pods', '--subresource=exec'), refusal('create', 'pods/exec'));
    for (const token of [BOB.token, ROBOT]) {
      equal(await canI(token, 'delete', 'configmaps'), 'yes');
      equal(await canI(token, 'create', 'pods', '--subresource=exec'), 'yes');
    }
  });

  test('what is denied is not done, and what RBAC does not allow the policy does not either', async () => {
    equal((await as(CARLA.token, 'POST', CONFIG_MAPS, configMap('of-carla'))).status, 201);
    const denied = await as(CARLA.token, 'DELETE', `${CONFIG_MAPS}/of-carla`);
    equal(denied.status, 403);
    match(String(at(denied.body, 'message')), /may not use delete on configmaps$/);
    equal((await as(ROBOT, 'DELETE', `${CONFIG_MAPS}/of-carla`)).status, 200);
    equal((await as(ROBOT, 'GET', '/api/v1/namespaces/default/secrets')).status, 403);
  });

  test('a new token and a new rule come in force without a restart', async () => {
    const sha256 = createHash('sha256').update('new-token').digest('hex');
    await edit(AUTHENTICATOR, ({ spec }) => {
      spec.settings.tokens.push({ sha256, user: { username: 'robot:new', groups: ['robots'] } });
    });
    await edit(AUTHORIZER, ({ spec }) => {
      spec.settings.rules.push({ group: 'robots', verbs: ['delete'], resources: ['configmaps'] });
    });
    await waitUntil(async () => (await as('new-token', 'GET', CONFIG_MAPS)).status === 200, {
      what: 'the new token to be known',
    });
    await waitUntil(async () => (await as('new-token', 'DELETE', `${CONFIG_MAPS}/of-robot`)).status === 403, {
      what: 'the new rule to be in force',
    });
  });

  test('a table that makes somebody an administrator needs the word of its document', async () => {
    const sha256 = createHash('sha256').update('master-token').digest('hex');
    await edit(AUTHENTICATOR, ({ spec }) => {
      spec.settings.tokens.push({ sha256, user: { username: 'eve', groups: ['system:masters'] } });
    });
    const told = await waitUntil(
      async () => {
        equal((await as('master-token', 'GET', CONFIG_MAPS)).status, 401);
        const text = await fixture.decisions('policy=static-tokens&faulted=true');
        return text.includes('PC_POLICY_SYSTEM_NAME') ? text : false;
      },
      { what: 'the token to be refused' },
    );
    equal(told.includes('master-token'), false);
    equal((await as(ROBOT, 'GET', CONFIG_MAPS)).status, 200);
    await edit(AUTHENTICATOR, ({ spec }) => {
      spec.systemNames = ['system:masters'];
    });
    await waitUntil(async () => (await as('master-token', 'GET', '/api/v1/nodes')).status === 200, {
      what: 'the administrator to be let in',
    });
  });
});
