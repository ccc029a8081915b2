import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { OWN, startCluster, type Cluster } from '../support/cluster.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import type { KubeApiserver } from '../support/kube-apiserver.ts';
import { at, collectionPath, namespace, pod, type KubernetesObject } from '../support/kubernetes-objects.ts';
import {
  conditionOf,
  installDefinitions,
  moduleConfigMap,
  portcullisObject,
} from '../support/portcullis-objects.ts';
import type { Replicas } from '../support/replicas.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const TEAM = 'team-a';
const PODS = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
const MODULE = { configMap: { name: 'deny', key: 'plugin.wasm' } };
const MERGE = { 'content-type': 'application/merge-patch+json' };
const VALIDATING = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis';
const CREATE_PODS = { operations: ['CREATE'], resources: PODS };

const DATA = { apiGroups: [''], verbs: ['list', 'watch'] };

// Three replicas with the rights of a service account: everything that they know of policies is in the API server.
describeWithKubernetes('cluster', () => {
  let cluster: Cluster;
  let kube: KubeApiserver;
  let replicas: Replicas;

  const deny = (message: string): Promise<Uint8Array> => fixedPolicy({ allowed: false, message });
  const create = (object: KubernetesObject): Promise<void> => cluster.create(object);
  const apply = (object: KubernetesObject): Promise<void> => cluster.apply(object);
  const remove = (object: KubernetesObject): Promise<void> => cluster.remove(object);
  const pathOf = (object: KubernetesObject): string =>
    `${collectionPath(object)}/${object.metadata.name ?? ''}`;
  /** What a client of the API server sees. */
  const tryPod = (where: string, image = 'registry.test/app:1'): ReturnType<KubeApiserver['request']> =>
    kube.request(
      'POST',
      `/api/v1/namespaces/${where}/pods?dryRun=All`,
      pod({ name: 'probe', namespace: where }, image),
    );
  const isDenied = async (where: string, text: RegExp): Promise<boolean> => {
    const { body: json } = await tryPod(where);
    return text.test(String(at(json, 'message')));
  };
  const isAllowed = async (where: string): Promise<boolean> => (await tryPod(where)).status === 201;
  const eventually = (what: string, check: () => Promise<boolean>): Promise<unknown> =>
    waitUntil(check, { what, within: 15_000 });

  before(async () => {
    cluster = await startCluster({
      name: 'cluster',
      replicas: 3,
      namespaces: [TEAM],
      // Modules of namespaced policies, and modules in Secrets.
      clusterRules: [{ ...DATA, resources: ['configmaps'] }],
      rules: [{ ...DATA, resources: ['secrets'] }],
    });
    ({ kube, replicas } = cluster);
  });

  after(() => cluster?.stop());

  test('a policy that is applied denies, and its status says so', async () => {
    await create(
      moduleConfigMap({ name: 'deny', namespace: OWN }, { 'plugin.wasm': await deny('not today') }),
    );
    const policy = portcullisObject(
      'Policy',
      { name: 'first' },
      { match: CREATE_PODS, module: { configMap: { name: 'deny', key: 'plugin.wasm' } } },
    );
    await apply(policy);
    await eventually('the policy to deny', () => isDenied(TEAM, /\[first\] not today/));
    await eventually(
      'its status',
      async () => (await conditionOf(kube, policy, 'Loaded'))?.['status'] === 'True',
    );
    const { stdout } = await kube.kubectl(['get', 'policies.portcullis.dev']);
    // What we do ourselves never comes back to us.
    match((await kube.request('GET', VALIDATING)).text, /system:serviceaccount:portcullis:portcullis/);
    match(
      stdout,
      /NAME +PHASE +MODE +LOADED +SERVING +WHY +AGE\nfirst +validate +enforce +True +True +Loaded/,
    );

    await kube.request(
      'PUT',
      `/api/v1/namespaces/${OWN}/configmaps/deny`,
      moduleConfigMap({ name: 'deny', namespace: OWN }, { 'plugin.wasm': await deny('still not') }),
    );
    await eventually('the new module to deny', () => isDenied(TEAM, /\[first\] still not/));
    await remove(policy);
    await eventually('the policy to be gone', () => isAllowed(TEAM));
  });

  test('a broken change leaves the last good policy in force, and says so in status and event', async () => {
    const policy = (message: unknown): KubernetesObject =>
      portcullisObject('Policy', { name: 'steady' }, { match: CREATE_PODS, module: MODULE, message });
    await apply(policy('ask the platform team'));
    await eventually('the policy to deny', () => isDenied(TEAM, /\[steady\] ask the platform team/));
    await kube.request(
      'PATCH',
      pathOf(policy('x')),
      { spec: { match: { conditions: [{ name: 'c', expression: 'object.' }] } } },
      MERGE,
    );
    await eventually('the status to say so', async () => {
      const loaded = await conditionOf(kube, policy('x'), 'Loaded');
      return loaded?.['status'] === 'False' && loaded['reason'] === 'PC_POLICY_CONDITION';
    });
    equal((await conditionOf(kube, policy('x'), 'Serving'))?.['reason'], 'LastGood');
    ok(await isDenied(TEAM, /\[steady\] ask the platform team/));
    await eventually('an event', async () => {
      const { stdout } = await kube.kubectl(['get', 'events', '-A', '-o', 'json']);
      return stdout.includes('DocumentRefused') && stdout.includes('PC_POLICY_CONDITION');
    });
    await remove(policy('x'));
    await eventually('the policy to be gone', () => isAllowed(TEAM));
  });

  test('a namespaced policy judges its own namespace and reads its own ConfigMaps only', async () => {
    await create(moduleConfigMap({ name: 'mine', namespace: TEAM }, { m: await deny('team rule') }));
    const policy = portcullisObject(
      'NamespacedPolicy',
      { name: 'own', namespace: TEAM },
      { match: CREATE_PODS, module: { configMap: { name: 'mine', key: 'm' } } },
    );
    const thief = portcullisObject(
      'NamespacedPolicy',
      { name: 'thief', namespace: TEAM },
      { match: CREATE_PODS, module: { configMap: { ...MODULE.configMap, namespace: OWN } } },
    );
    await apply(policy);
    await apply(thief);
    await eventually('the policy to deny', () => isDenied(TEAM, /\[team-a\/own\] team rule/));
    ok(await isAllowed('default'));
    await eventually('the other to be refused', async () =>
      /takes its module from its own namespace/.test(
        String((await conditionOf(kube, thief, 'Loaded'))?.['message']),
      ),
    );
    await remove(policy);
    await remove(thief);
    await eventually('the policy to be gone', () => isAllowed(TEAM));
  });

  test('a group decides by its expression', async () => {
    await create(
      moduleConfigMap({ name: 'allow', namespace: OWN }, { m: await fixedPolicy({ allowed: true }) }),
    );
    const group = (expression: string): KubernetesObject =>
      portcullisObject(
        'PolicyGroup',
        { name: 'both' },
        {
          match: CREATE_PODS,
          expression,
          message: 'one of the two rules has to hold',
          members: { no: { module: MODULE }, yes: { module: { configMap: { name: 'allow', key: 'm' } } } },
        },
      );
    await apply(group('no() && yes()'));
    await eventually('the group to deny', () => isDenied(TEAM, /\[both\] one of the two rules has to hold/));
    await apply(group('no() || yes()'));
    await eventually('the group to allow', () => isAllowed(TEAM));
    await remove(group('no()'));
  });

  test('an exception holds until its time is over', async () => {
    const policy = portcullisObject('Policy', { name: 'strict' }, { match: CREATE_PODS, module: MODULE });
    const exception = (seconds: number): KubernetesObject =>
      portcullisObject(
        'PolicyException',
        { name: 'migration' },
        {
          policies: ['strict'],
          match: { namespaces: [TEAM] },
          expires: `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`,
          reason: 'moves next week',
        },
      );
    await apply(policy);
    await eventually('the policy to deny', () => isDenied(TEAM, /strict/));
    await apply(exception(3600));
    await eventually('the exception to hold', () => isAllowed(TEAM));
    ok(await isDenied('default', /strict/));
    await eventually(
      'its status',
      async () => (await conditionOf(kube, exception(1), 'Active'))?.['status'] === 'True',
    );
    await apply(exception(2));
    await eventually('the exception to end', () => isDenied(TEAM, /strict/));
    await waitUntil(async () => (await conditionOf(kube, exception(1), 'Active'))?.['reason'] === 'Expired', {
      what: 'its status to say so',
    });
    await remove(exception(1));
    await remove(policy);
    await eventually('the policy to be gone', () => isAllowed('default'));
  });

  test('two commands of kubectl make a plugin of a module', async () => {
    const file = join(await createWorkDirectory('cluster-plugin'), 'plugin.wasm');
    await writeFile(file, await deny('by a plugin'));
    const made = await kube.kubectl([
      '-n',
      OWN,
      'create',
      'configmap',
      'registry-check',
      `--from-file=plugin.wasm=${file}`,
    ]);
    equal(made.code, 0, made.stderr);
    const labelled = await kube.kubectl([
      '-n',
      OWN,
      'label',
      'configmap',
      'registry-check',
      'portcullis.dev/plugin=true',
    ]);
    equal(labelled.code, 0, labelled.stderr);
    await eventually('the plugin to deny', () => isDenied(TEAM, /\[registry-check\] by a plugin/));
    await kube.kubectl(['-n', OWN, 'delete', 'configmap', 'registry-check']);
    await eventually('the plugin to be gone', () => isAllowed(TEAM));
  });

  test('a module in a Secret, and a change of it', async () => {
    const secret = async (message: string): Promise<KubernetesObject> => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'code', namespace: OWN },
      data: { 'plugin.wasm': Buffer.from(await deny(message)).toString('base64') },
    });
    const policy = portcullisObject(
      'Policy',
      { name: 'secret' },
      { match: CREATE_PODS, module: { secret: { name: 'code', key: 'plugin.wasm' } } },
    );
    // The policy first: what it needs comes later.
    await apply(policy);
    await eventually(
      'the status to miss it',
      async () => (await conditionOf(kube, policy, 'Loaded'))?.['reason'] === 'PC_MODULE_MISSING',
    );
    await create(await secret('one'));
    await eventually('the policy to deny', () => isDenied(TEAM, /\[secret\] one/));
    await kube.request('PUT', `/api/v1/namespaces/${OWN}/secrets/code`, await secret('two'));
    await eventually('the new module to deny', () => isDenied(TEAM, /\[secret\] two/));
    await remove(policy);
    await eventually('the policy to be gone', () => isAllowed(TEAM));
  });

  test('what is applied together with its namespace is judged by its labels', async () => {
    const policy = portcullisObject(
      'Policy',
      { name: 'labelled' },
      { match: { ...CREATE_PODS, namespaceSelector: { matchLabels: { env: 'prod' } } }, module: MODULE },
    );
    await apply(policy);
    await eventually('the policy to be registered', async () => {
      await kube.request('DELETE', '/api/v1/namespaces/probe');
      return (await conditionOf(kube, policy, 'Serving'))?.['status'] === 'True';
    });
    for (const [index, env] of ['prod', 'test', 'prod', 'test'].entries()) {
      const name = `fresh-${index}`;
      const objects = [namespace(name, { env }), pod({ name: 'app', namespace: name })];
      const { code, stderr } = await kube.kubectl(
        ['create', '--validate=false', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
      );
      equal(code === 0, env === 'test', stderr);
      if (env === 'prod') match(stderr, /\[labelled\] still not/);
    }
    await remove(policy);
    await eventually('the policy to be gone', () => isAllowed(TEAM));
  });

  test('policies stay in force when their definition is removed, until it is back', async () => {
    const policy = portcullisObject('Policy', { name: 'orphan' }, { match: CREATE_PODS, module: MODULE });
    await apply(policy);
    await eventually('the policy to deny', () => isDenied(TEAM, /orphan/));
    const removed = await kube.kubectl(['delete', 'crd', 'policies.portcullis.dev']);
    equal(removed.code, 0, removed.stderr);
    for (let look = 0; look < 20; look += 1) ok(await isDenied(TEAM, /orphan/));
    const [replica] = replicas.all();
    const { body } = await kube.request('GET', '/readyz');
    equal(body, undefined);
    equal(await replica?.server.isReady(), true);
    await installDefinitions(kube);
    await waitUntil(() => isAllowed(TEAM), {
      what: 'the policy to be gone with the list of the new kind',
      within: 60_000,
    });
    await apply(policy);
    await eventually('the policy to deny again', () => isDenied(TEAM, /orphan/));
    await remove(policy);
    await eventually('the policy to be gone', () => isAllowed(TEAM));
  });

  test('the registration is restored, and the kill switch works', async () => {
    const policy = portcullisObject('Policy', { name: 'guard' }, { match: CREATE_PODS, module: MODULE });
    await apply(policy);
    await eventually('the policy to deny', () => isDenied(TEAM, /guard/));
    await kube.request('DELETE', VALIDATING);
    await eventually('the configuration to be restored', () => isDenied(TEAM, /guard/));
    await kube.kubectl(['-n', OWN, 'create', 'configmap', 'portcullis-off']);
    await eventually(
      'the configuration to go',
      async () => (await kube.request('GET', VALIDATING)).status === 404,
    );
    await eventually('requests to pass', () => isAllowed(TEAM));
    await kube.kubectl(['-n', OWN, 'delete', 'configmap', 'portcullis-off']);
    await eventually('the policy to deny again', () => isDenied(TEAM, /guard/));
    await remove(policy);
    await eventually(
      'the configuration to go with its last policy',
      async () => (await kube.request('GET', VALIDATING)).status === 404,
    );
  });

  test('another replica takes over when the leader is killed', async () => {
    const leaders = async (): Promise<readonly string[]> => {
      const { body } = await kube.request(
        'GET',
        `/apis/coordination.k8s.io/v1/namespaces/${OWN}/leases/portcullis`,
      );
      return [String(at(body, 'spec', 'holderIdentity'))];
    };
    const [leader = ''] = await leaders();
    const replica = replicas.all().find(({ name }) => name === leader);
    ok(replica !== undefined, leader);
    await replicas.remove(replica);
    await waitUntil(async () => (await leaders())[0] !== leader, { what: 'another leader' });
    const policy = portcullisObject('Policy', { name: 'after' }, { match: CREATE_PODS, module: MODULE });
    await apply(policy);
    await eventually('the policy to deny', () => isDenied(TEAM, /after/));
    await remove(policy);
    await eventually('the policy to be gone', () => isAllowed(TEAM));
    await replicas.add();
  });

  test('the API server may restart, be replaced, and our token may be void for a while', async () => {
    const policy = portcullisObject('Policy', { name: 'through' }, { match: CREATE_PODS, module: MODULE });
    await apply(policy);
    await eventually('the policy to deny', () => isDenied(TEAM, /through/));
    await cluster.account().writeToken('void');
    await kube.restart();
    await waitUntil(() => isDenied(TEAM, /through/), { what: 'the policy to deny after the restart' });
    const ready = async (): Promise<readonly boolean[]> =>
      Promise.all(replicas.all().map(({ server }) => server.isReady()));
    deepEqual(await ready(), [true, true, true]);
    await cluster.account().renewToken();
    const second = portcullisObject('Policy', { name: 'second' }, { match: CREATE_PODS, module: MODULE });
    await apply(second);
    await waitUntil(() => isDenied(TEAM, /second/), {
      what: 'a policy of after the restart',
      within: 90_000,
    });
    await remove(policy);
    await remove(second);
    await eventually('the policies to be gone', () => isAllowed(TEAM));
  });
});
