import { deepEqual, equal, match, notDeepEqual, ok } from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createClusterStage, noClusterStage, type ClusterStage } from '../support/cluster-stage.ts';
import type { DeploymentPlayer } from '../support/deployment-player.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { forbiddenRequests } from '../support/granted-rights.ts';
import { CHART } from '../support/helm.ts';
import { at, collectionPath, namespace, pod, type KubernetesObject } from '../support/kubernetes-objects.ts';
import { listEverything } from '../support/list-everything.ts';
import { moduleConfigMap, portcullisObject } from '../support/portcullis-objects.ts';
import { startLoad } from '../support/steady-load.ts';
import { waitUntil } from '../support/wait-until.ts';

const OWN = 'portcullis';
const PODS = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
/** Less time than in a cluster of many nodes, where everybody has to hear of an end; else as the chart has it. */
const VALUES = ['--set', 'drain.delaySeconds=2,replicas=2'];
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis';

// The chart by Helm and the manifests by kubectl, on an API server where nothing else is played but pods and endpoints.
describe('deployment', { skip: noClusterStage() }, () => {
  let stage: ClusterStage;
  let player: DeploymentPlayer;
  let empty: readonly string[];

  const helm = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await stage.helm(args);
    equal(code, 0, `helm ${args[0]}: ${stderr}`);
    return stdout;
  };
  const apply = async (text: string): Promise<void> => {
    const { code, stderr } = await stage.kube.kubectl(
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      text,
    );
    equal(code, 0, stderr);
  };
  const exists = async (path: string): Promise<boolean> =>
    (await stage.kube.request('GET', path)).status === 200;
  /** A pod that the policies deny, or not. */
  const probe = (bad: boolean): KubernetesObject =>
    pod({ generateName: 'probe-', namespace: 'shop', labels: { bad: String(bad) } });
  const answerTo = async (bad: boolean): Promise<number> => {
    const object = probe(bad);
    return (await stage.kube.request('POST', `${collectionPath(object)}?dryRun=All`, object)).status;
  };
  /** By every replica: several requests at a time need several connections, and those go round. */
  const isEnforcing = (): Promise<unknown> =>
    waitUntil(
      async () => {
        const bad = Array.from({ length: 8 }, (_, index) => index % 4 !== 0);
        const answers = await Promise.all(bad.map((isBad) => answerTo(isBad)));
        return answers.every((status, index) => status === (bad[index] === true ? 403 : 201));
      },
      { what: 'the policies to be enforced', within: 60_000 },
    );
  const isGone = (): Promise<unknown> =>
    waitUntil(() => player.pods().length === 0, { what: 'the pods to end', within: 60_000 });
  const leftOver = async (): Promise<readonly string[]> => {
    const found = await listEverything(stage.kube);
    return found.filter((line) => !empty.includes(line));
  };

  async function applyPolicies(): Promise<void> {
    const deny = await fixedPolicy({ allowed: false, message: 'bad pods stay out' });
    const allow = await fixedPolicy({ allowed: true });
    const policy = (name: string, match_: object): KubernetesObject =>
      portcullisObject(
        'Policy',
        { name },
        {
          match: { operations: ['CREATE'], resources: PODS, namespaces: ['shop'], ...match_ },
          module: { configMap: { name: 'modules', key: `${name}.wasm` } },
        },
      );
    const objects = [
      moduleConfigMap({ name: 'modules', namespace: OWN }, { 'deny.wasm': deny, 'allow.wasm': allow }),
      policy('deny', { objectSelector: { matchLabels: { bad: 'true' } } }),
      policy('allow', {}),
    ];
    await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  }

  before(async () => {
    stage = await createClusterStage('deploy');
    for (const name of [OWN, 'shop']) {
      equal((await stage.kube.request('POST', '/api/v1/namespaces', namespace(name))).status, 201);
    }
    empty = await listEverything(stage.kube);
  });

  after(async () => {
    await stage?.close();
  });

  test('Helm installs it, and what is applied is enforced', async () => {
    player = stage.play(OWN, 'portcullis');
    const notes = await helm(
      'install',
      'portcullis',
      CHART,
      '-n',
      OWN,
      ...VALUES,
      '--wait',
      '--timeout=180s',
    );
    match(notes, /create configmap portcullis-off/);
    equal(await exists(WEBHOOKS), false, 'nothing is registered without a policy');
    await applyPolicies();
    await isEnforcing();
    const { body } = await stage.kube.request('GET', WEBHOOKS);
    deepEqual(at(body, 'webhooks', 0, 'clientConfig', 'service', 'name'), 'portcullis');
  });

  test('an upgrade to another version loses no request', async () => {
    const chart = await nextVersion(join(stage.directory, 'next-chart'));
    const before_ = player.pods().map(({ name }) => name);
    const load = startLoad({
      kube: stage.kube,
      object: (index) => probe(index % 2 === 0),
      expected: (index) => (index % 2 === 0 ? 403 : 201),
      workers: 4,
    });
    await helm('upgrade', 'portcullis', chart, '-n', OWN, ...VALUES, '--wait', '--timeout=180s');
    await waitUntil(() => player.exits().length === 2 && player.pods().length === 2, {
      what: 'the old pods to end',
      within: 60_000,
    });
    const { requests, failures } = await load.stop();
    deepEqual(failures.slice(0, 3), []);
    ok(requests > 100, `${requests} requests`);
    deepEqual(player.exits(), [
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
    notDeepEqual(
      player.pods().map(({ name }) => name),
      before_,
    );
    const { body } = await stage.kube.request(
      'GET',
      `/apis/apps/v1/namespaces/${OWN}/deployments/portcullis`,
    );
    match(String(at(body, 'spec', 'template', 'spec', 'containers', 0, 'image')), /:9\.9\.9$/);
  });

  test('the same upgrade again changes no pod and no certificate', async () => {
    const chart = join(stage.directory, 'next-chart');
    const secret = `/api/v1/namespaces/${OWN}/secrets/portcullis-tls`;
    const data = async (): Promise<unknown> => at((await stage.kube.request('GET', secret)).body, 'data');
    const generation = async (): Promise<unknown> => {
      const path = `/apis/apps/v1/namespaces/${OWN}/deployments/portcullis`;
      return at((await stage.kube.request('GET', path)).body, 'metadata', 'generation');
    };
    const seen = [await data(), await generation()];
    await helm('upgrade', 'portcullis', chart, '-n', OWN, ...VALUES);
    deepEqual([await data(), await generation()], seen);
  });

  test('it grows and shrinks without losing a request', async () => {
    const chart = join(stage.directory, 'next-chart');
    const load = startLoad({
      kube: stage.kube,
      object: () => probe(true),
      expected: () => 403,
      workers: 2,
    });
    for (const replicas of [3, 1]) {
      const set = `drain.delaySeconds=2,replicas=${replicas}`;
      await helm('upgrade', 'portcullis', chart, '-n', OWN, '--set', set, '--wait', '--timeout=180s');
      await waitUntil(() => player.pods().length === replicas, { what: `${replicas} pods`, within: 60_000 });
    }
    deepEqual((await load.stop()).failures.slice(0, 3), []);
  });

  test('uninstalled, nothing of it stands in the way, and definitions and policies are all that is left', async () => {
    const events = stage.kube.auditEvents();
    deepEqual(
      forbiddenRequests(events, `system:serviceaccount:${OWN}:portcullis`),
      [],
      'no right was missing',
    );
    const load = startLoad({
      kube: stage.kube,
      object: () => probe(false),
      expected: () => 201,
      workers: 4,
    });
    await helm('uninstall', 'portcullis', '-n', OWN, '--wait', '--timeout=180s');
    equal(await answerTo(true), 201, 'nobody denies any more');
    await isGone();
    deepEqual((await load.stop()).failures.slice(0, 3), []);
    const left = (await leftOver()).filter((line) => !/^(APIService|ControllerRevision) /.test(line));
    deepEqual(left, [
      `ConfigMap ${OWN}/modules`,
      'CustomResourceDefinition /namespacedpolicies.portcullis.dev',
      'CustomResourceDefinition /namespacedpolicygroups.portcullis.dev',
      'CustomResourceDefinition /policies.portcullis.dev',
      'CustomResourceDefinition /policyexceptions.portcullis.dev',
      'CustomResourceDefinition /policygroups.portcullis.dev',
      'Policy /allow',
      'Policy /deny',
    ]);
    ok(player.exits().every(({ code }) => code === 0));
  });

  test('installed again, the policies that were left are enforced', async () => {
    await helm(
      'install',
      'portcullis',
      CHART,
      '-n',
      OWN,
      ...VALUES,
      '--set=crds.keep=false',
      '--wait',
      '--timeout=180s',
    );
    await isEnforcing();
  });

  test('uninstalled while no replica runs, the requests that were blocked pass, and the cluster is as before', async () => {
    await player.kill();
    await waitUntil(async () => equal(await answerTo(false), 500) === undefined, {
      what: 'requests to be blocked',
      within: 60_000,
    });
    await helm('uninstall', 'portcullis', '-n', OWN);
    equal(await answerTo(false), 201);
    equal(await answerTo(true), 201);
    await stage.kube.kubectl(['delete', 'configmap', 'modules', '-n', OWN]);
    await stage.kube.kubectl(['delete', 'endpointslice', '--all', '-n', OWN]);
    await waitUntil(async () => deepEqual(await leftOver(), []) === undefined, {
      what: 'the cluster to be clean',
    });
  });
});

/** The chart as of the next release: other versions, and a key of the configuration that changes. */
async function nextVersion(folder: string): Promise<string> {
  await cp(CHART, folder, { recursive: true });
  const path = join(folder, 'Chart.yaml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replaceAll(/^(version|appVersion): .*$/gm, '$1: 9.9.9'));
  return folder;
}
