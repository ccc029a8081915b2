import { deepEqual, equal, notDeepEqual } from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClusterStage, noClusterStage, type ClusterStage } from '../support/cluster-stage.ts';
import type { DeploymentPlayer } from '../support/deployment-player.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { forbiddenRequests, grantedRights, unusedRights, usedRights } from '../support/granted-rights.ts';
import { CHART } from '../support/helm.ts';
import { collectionPath, namespace, type KubernetesObject } from '../support/kubernetes-objects.ts';
import { conditionOf, moduleConfigMap, portcullisObject } from '../support/portcullis-objects.ts';
import { waitUntil } from '../support/wait-until.ts';

const OWN = 'portcullis';
const TEAM = 'team';
const USER = `system:serviceaccount:${OWN}:portcullis`;
const PODS = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
const match = { operations: ['CREATE'], resources: PODS };
const module = { configMap: { name: 'modules', key: 'plugin.wasm' } };
const CONFIGURATIONS = ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'];
/** Everything that asks for a right is switched on. */
const VALUES = [
  '--set=replicas=1,drain.delaySeconds=1',
  '--set=sources.secrets=portcullis.dev/plugin=true,sources.moduleSecrets=true',
  `--set=sources.moduleNamespaces={${TEAM}}`,
];

/** One of each kind; the exception has nothing to do, and the last policy is refused. */
const OBJECTS: readonly KubernetesObject[] = [
  portcullisObject('Policy', { name: 'validates' }, { match, module }),
  portcullisObject('Policy', { name: 'mutates' }, { phase: 'mutate', match, module }),
  portcullisObject(
    'Policy',
    { name: 'by-secret' },
    { match, module: { secret: { name: 'modules', key: 'plugin.wasm' } } },
  ),
  portcullisObject(
    'PolicyGroup',
    { name: 'group' },
    { match, message: 'no', expression: 'a()', members: { a: { module } } },
  ),
  portcullisObject('NamespacedPolicy', { name: 'own', namespace: TEAM }, { match, module }),
  portcullisObject(
    'NamespacedPolicyGroup',
    { name: 'own-group', namespace: TEAM },
    { match, message: 'no', expression: 'a()', members: { a: { module } } },
  ),
  portcullisObject(
    'PolicyException',
    { name: 'exception' },
    { policies: ['none'], expires: 'never', reason: 'for this test' },
  ),
  portcullisObject('Policy', { name: 'refused' }, { match, module: { ...module, sha256: '0'.repeat(64) } }),
];

// The audit log of the API server against the rules of the chart: what is granted is used, and what is used is granted.
describe('rights of the chart', { skip: noClusterStage() }, () => {
  let stage: ClusterStage;
  let player: DeploymentPlayer;

  const helm = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await stage.helm(args);
    equal(code, 0, `helm ${args[0]}: ${stderr}`);
  };
  const kubectl = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await stage.kube.kubectl(args);
    equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  };
  const create = async (object: KubernetesObject): Promise<void> => {
    const { status, text } = await stage.kube.request('POST', collectionPath(object), object);
    equal(status, 201, text);
  };
  const areRegistered = (wanted: boolean): Promise<unknown> =>
    waitUntil(
      async () => {
        const found = await Promise.all(
          CONFIGURATIONS.map((plural) =>
            stage.kube.request('GET', `/apis/admissionregistration.k8s.io/v1/${plural}/portcullis`),
          ),
        );
        return found.every(({ status }) => (status === 200) === wanted);
      },
      { what: `the webhooks ${wanted ? 'to be' : 'not to be'} there`, within: 60_000 },
    );

  before(async () => {
    // What cannot list by a watch is listed first: the way on older API servers, and after a failure on every one.
    stage = await createClusterStage('deploy-rights', { 'feature-gates': 'WatchList=false' });
    for (const name of [OWN, TEAM]) await create(namespace(name));
    const plugin = await fixedPolicy({ allowed: true });
    for (const where of [OWN, TEAM]) {
      await create(moduleConfigMap({ name: 'modules', namespace: where }, { 'plugin.wasm': plugin }));
    }
    const data = { 'plugin.wasm': Buffer.from(plugin).toString('base64') };
    await create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'modules', namespace: OWN }, data });
    player = stage.play(OWN, 'portcullis');
    await helm('install', 'portcullis', CHART, '-n', OWN, ...VALUES, '--wait', '--timeout=180s');
  });

  after(async () => {
    await stage?.close();
  });

  test('every verb on every resource is used, and none is missing', async () => {
    for (const object of OBJECTS) await create(object);
    for (const object of OBJECTS) {
      const type = object.kind === 'PolicyException' ? 'Active' : 'Loaded';
      const what = `the status of ${object.kind} ${object.metadata.name ?? ''}`;
      await waitUntil(() => conditionOf(stage.kube, object, type), { what, within: 60_000 });
    }
    await areRegistered(true);
    await kubectl('create', 'configmap', 'portcullis-off', '-n', OWN);
    await areRegistered(false);
    await kubectl('delete', 'configmap', 'portcullis-off', '-n', OWN);
    await areRegistered(true);
    // Whether an object went alone or with its definition is asked when it goes.
    for (const { kind, metadata } of OBJECTS) {
      const where = metadata.namespace === undefined ? [] : ['-n', metadata.namespace];
      if (metadata.name !== 'refused')
        await kubectl('delete', kind.toLowerCase(), metadata.name ?? '', ...where);
    }
    // What was refused over and over is told once more when the replica ends.
    await helm('upgrade', 'portcullis', CHART, '-n', OWN, ...VALUES, '--set=podAnnotations.again=yes');
    await waitUntil(() => player.exits().length === 1, { what: 'the first pod to end', within: 60_000 });

    const granted = await grantedRights(stage.kube, OWN, 'portcullis');
    await waitUntil(
      () => deepEqual(unusedRights(granted, usedRights(stage.kube.auditEvents(), USER)), []) === undefined,
      { what: 'every right to be used' },
    );
    deepEqual(forbiddenRequests(stage.kube.auditEvents(), USER), []);
  });

  test('a rule too much would be noticed, and one too few', async () => {
    const rules = (await grantedRights(stage.kube, OWN, 'portcullis')).length;
    notDeepEqual(rules, 0);
    const events = stage.kube.auditEvents();
    const role = `${OWN}:portcullis`;
    const more = [
      { op: 'add', path: '/rules/-', value: { apiGroups: [''], resources: ['nodes'], verbs: ['list'] } },
    ];
    await kubectl('patch', 'clusterrole', role, '--type=json', `--patch=${JSON.stringify(more)}`);
    const granted = await grantedRights(stage.kube, OWN, 'portcullis');
    deepEqual(unusedRights(granted, usedRights(events, USER)), ['list nodes']);

    const fewer = [{ op: 'replace', path: '/rules', value: [] }];
    await kubectl('patch', 'clusterrole', role, '--type=json', `--patch=${JSON.stringify(fewer)}`);
    await kubectl('create', 'configmap', 'portcullis-off', '-n', OWN);
    await waitUntil(() => forbiddenRequests(stage.kube.auditEvents(), USER).length > 0, {
      what: 'a request to be refused',
      within: 60_000,
    });
  });
});
