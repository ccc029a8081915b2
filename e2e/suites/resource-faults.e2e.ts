import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { untilSettled } from '../support/cluster-state.ts';
import { OWN } from '../support/cluster.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import {
  allows,
  CREATE_PODS,
  denies,
  DENY,
  denying,
  denyingModule,
  IN_TEAM,
  openFaultBench,
  PLUGIN,
  PROBE,
  type FaultBench,
} from '../support/fault-bench.ts';
import { paddedModule } from '../support/fixed-policy.ts';
import { freePort } from '../support/free-ports.ts';
import { at, collectionPath, configMap, type KubernetesObject } from '../support/kubernetes-objects.ts';
import { conditionOf, moduleConfigMap, portcullisObject } from '../support/portcullis-objects.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const MIB = 1024 ** 2;
const ELSEWHERE = { ...CREATE_PODS, namespaces: ['elsewhere'] };
const RUBBISH = 400;
/** Of a body, of the data of a ConfigMap, of a write to etcd. */
const TOO_LARGE =
  /Request entity too large|Too long: may not be more than 1048576 bytes|request is too large/;

// What can lie in the API server and what can become of it, while pods are created all the time.
describeWithKubernetes('faults of what is in the API server', () => {
  let bench: FaultBench;
  let downloads: Server;
  let downloadUrl: string;
  const downloadable = new Map<string, Uint8Array>();

  const each = async (
    objects: readonly KubernetesObject[],
    run: (object: KubernetesObject) => Promise<unknown>,
  ): Promise<void> => {
    const left = [...objects];
    const lane = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await run(next);
    };
    await Promise.all(Array.from({ length: 16 }, lane));
  };

  before(async () => {
    const directory = await createWorkDirectory('resource-faults-extra');
    const authority = await createAuthority();
    const { certificatePem, keyPem } = await issueServerCertificate(authority);
    const caFile = join(directory, 'downloads.crt');
    await writeFile(caFile, authority.pem);
    downloads = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
      const found = downloadable.get(request.url ?? '');
      response.writeHead(found === undefined ? 404 : 200).end(found);
    });
    const port = await freePort();
    await new Promise<void>((resolve) => downloads.listen(port, '127.0.0.1', resolve));
    downloadUrl = `https://127.0.0.1:${port}`;
    const sections = { sources: { maxModuleBytes: '4Mi', url: { allowPrivate: true, caFile } } };
    bench = await openFaultBench({ name: 'resource-faults', sections });
  });

  after(async () => {
    await bench?.stop();
    downloads?.closeAllConnections();
    downloads?.close();
  });

  afterEach(() => bench.check());

  test('ten thousand ConfigMaps that are none of ours are not even seen', async () => {
    await untilSettled(bench.cluster);
    const reloads = 'portcullis_last_reload_timestamp_seconds';
    const reloadedAt = await bench.metrics(reloads);
    const many = Array.from({ length: 10_000 }, (_, index) =>
      configMap({ name: `other-${index}`, namespace: OWN }, { text: `value ${index}` }),
    );
    await each(many, (object) => bench.cluster.create(object));
    deepEqual(await bench.metrics(reloads), reloadedAt);
    deepEqual(await bench.metrics('portcullis_kubernetes_watch_items', { resource: 'configmap' }), [0, 0, 0]);
  });

  test('hundreds of rubbish plugins are told, one by one, and change nothing for the good ones', async () => {
    const holder = (name: string, matched: object, values: object): KubernetesObject => ({
      ...configMap(
        { name, namespace: OWN, labels: PLUGIN },
        {
          'policy.yaml': JSON.stringify({
            apiVersion: 'portcullis.dev/v1',
            kind: 'Policy',
            metadata: { name },
            spec: { match: matched, module: { file: 'm.wasm' }, message: 'a good plugin' },
          }),
        },
      ),
      ...values,
    });
    const module = Buffer.from(await denyingModule('x')).toString('base64');
    const noModule = Buffer.from('no module').toString('base64');
    await bench.cluster.create(holder('good', IN_TEAM, { binaryData: { 'm.wasm': module } }));
    await bench.prober.until('the plugin to deny', PROBE, denies('[good] a good plugin'));
    const rubbish = Array.from({ length: RUBBISH }, (_, index) => {
      const name = `rubbish-${index}`;
      // What was never loaded denies by its failure policy: only where it matches.
      if (index % 4 === 0) return holder(name, ELSEWHERE, { binaryData: { 'm.wasm': noModule } });
      const [key, text] = [
        ['readme', 'no module'] as const,
        ['policy.yaml', 'kind: [broken'] as const,
        ['policy.yaml', `kind: Policy\nmetadata: {name: ${name}}\nspec: {modul: {}}`] as const,
      ][index % 3] ?? ['', ''];
      return configMap({ name, namespace: OWN, labels: PLUGIN }, { [key]: text });
    });
    await each(rubbish, (object) => bench.cluster.create(object));
    // A good one turns bad: what it was stays.
    await bench.cluster.kube.request(
      'PUT',
      `/api/v1/namespaces/${OWN}/configmaps/good`,
      holder('good', IN_TEAM, { binaryData: { 'm.wasm': noModule } }),
    );
    await waitUntil(
      async () => {
        for (const replica of bench.cluster.replicas.all()) {
          const listed = await bench.cluster.view(replica).policies();
          const refused = listed.filter(({ status }) => status.state === 'refused');
          equal(refused.length, RUBBISH + 1);
          ok(
            refused.every(
              ({ status }) =>
                status.problem !== undefined &&
                status.lastGood === (status.origin === `ConfigMap/${OWN}/good`),
            ),
          );
        }
        return true;
      },
      { what: 'all of them to be listed as refused', within: 60_000 },
    );
    deepEqual(await bench.metrics('portcullis_policies', { state: 'refused' }), [
      RUBBISH + 1,
      RUBBISH + 1,
      RUBBISH + 1,
    ]);
    await bench.prober.until('the last good plugin to deny', PROBE, denies('[good] a good plugin'));
    await bench.goesOn();
    const { status } = await bench.cluster.kube.request(
      'DELETE',
      `/api/v1/namespaces/${OWN}/configmaps?labelSelector=portcullis.dev%2Fplugin`,
    );
    equal(status, 200);
    await bench.prober.until('the plugin to be gone', PROBE, allows);
  });

  test('a module as large as a ConfigMap takes, next to larger ones in other places', async () => {
    const small = await denyingModule('a large module');
    const large = paddedModule(small, MIB - 1024);
    await bench.cluster.create(moduleConfigMap({ name: 'large', namespace: OWN }, { m: large }));
    await bench.cluster.apply(denying('one-mib', { module: { configMap: { name: 'large', key: 'm' } } }));
    await bench.prober.until('the large one to deny', PROBE, denies('[one-mib]'));
    await bench.cluster.remove(denying('one-mib'));

    const three = paddedModule(small, 3 * MIB);
    const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    downloadable.set('/three.wasm', three);
    await bench.cluster.apply(
      denying('three-mib', { module: { url: `${downloadUrl}/three.wasm`, sha256: digest(three) } }),
    );
    await bench.prober.until('the one by URL to deny', PROBE, denies('[three-mib]'));
    await bench.cluster.remove(denying('three-mib'));

    const five = paddedModule(small, 5 * MIB);
    downloadable.set('/five.wasm', five);
    const tooLarge = denying('five-mib', {
      module: { url: `${downloadUrl}/five.wasm`, sha256: digest(five) },
    });
    await bench.cluster.apply(tooLarge);
    await waitUntil(
      async () => (await conditionOf(bench.cluster.kube, tooLarge, 'Loaded'))?.['status'] === 'False',
      {
        what: 'its status',
      },
    );
    match(String((await conditionOf(bench.cluster.kube, tooLarge, 'Loaded'))?.['message']), /4194304|4 MiB/);
    await bench.cluster.remove(tooLarge);

    // The API server refuses these itself, so that nothing ever comes to us.
    const inMap = moduleConfigMap({ name: 'larger', namespace: OWN }, { m: three });
    const refusedMap = await bench.cluster.kube.request('POST', collectionPath(inMap), inMap);
    match(refusedMap.text, TOO_LARGE);
    const inline = denying('inline', { module: { inline: Buffer.from(three).toString('base64') } });
    const refusedInline = await bench.cluster.kube.request('POST', collectionPath(inline), inline);
    match(refusedInline.text, TOO_LARGE);
    await bench.prober.until('nothing to be left', PROBE, allows);
  });

  test('what is deleted while it is loaded is gone, and is not made again by its status', async () => {
    const random = createSeededRandom(11);
    const module = paddedModule(await denyingModule('short-lived'), 500_000);
    for (let round = 0; round < 15; round += 1) {
      const code = moduleConfigMap({ name: `short-${round}`, namespace: OWN }, { m: module });
      const short = denying(`short-${round}`, {
        module: { configMap: { name: `short-${round}`, key: 'm' } },
      });
      await bench.cluster.create(code);
      await bench.cluster.create(short);
      await new Promise((resolve) => void setTimeout(resolve, random() * 400));
      for (const object of random() < 0.5 ? [short, code] : [code, short]) await bench.cluster.remove(object);
    }
    await bench.prober.until('nothing to be left', PROBE, allows);
    await untilSettled(bench.cluster);
    const { body } = await bench.cluster.kube.request('GET', '/apis/portcullis.dev/v1/policies');
    deepEqual(
      (at(body, 'items') as readonly unknown[]).map((item) => at(item, 'metadata', 'name')),
      ['guard'],
    );
  });

  for (const [first, second] of [
    ['Policy', 'PolicyGroup'],
    ['PolicyGroup', 'Policy'],
  ] as const) {
    test(`a ${first} keeps its name from a ${second} that comes later, which is told so`, async () => {
      const spec = (kind: string): object => ({
        match: IN_TEAM,
        message: `denied by the ${kind}`,
        ...(kind === 'Policy' ? { module: DENY } : { expression: 'no()', members: { no: { module: DENY } } }),
      });
      const [keeper, late] = [first, second].map((kind) =>
        portcullisObject(kind, { name: 'twin' }, spec(kind)),
      );
      ok(keeper !== undefined && late !== undefined);
      await bench.cluster.apply(keeper);
      await bench.prober.until('the first to deny', PROBE, denies(`denied by the ${first}`));
      // The API server keeps whole seconds of the age.
      await new Promise((resolve) => void setTimeout(resolve, 1100));
      await bench.cluster.apply(late);
      await waitUntil(
        async () =>
          (await conditionOf(bench.cluster.kube, late, 'Loaded'))?.['reason'] === 'PC_POLICY_DUPLICATE',
        { what: 'the other to be refused' },
      );
      equal((await conditionOf(bench.cluster.kube, late, 'Serving'))?.['status'], 'False');
      equal((await conditionOf(bench.cluster.kube, keeper, 'Loaded'))?.['status'], 'True');
      ok((await bench.prober.ask(PROBE)).every(denies(`denied by the ${first}`)));
      await bench.cluster.remove(keeper);
      await bench.prober.until('the other to take the name', PROBE, denies(`denied by the ${second}`));
      await bench.cluster.remove(late);
      await bench.prober.until('both to be gone', PROBE, allows);
    });
  }

  test('two ConfigMaps with a policy of one name: every replica takes the same one', async () => {
    const holder = async (name: string): Promise<KubernetesObject> => ({
      ...moduleConfigMap({ name, namespace: OWN, labels: PLUGIN }, { 'm.wasm': await denyingModule('x') }),
      data: {
        'policy.yaml': JSON.stringify({
          apiVersion: 'portcullis.dev/v1',
          kind: 'Policy',
          metadata: { name: 'claimed' },
          spec: { match: IN_TEAM, module: { file: 'm.wasm' }, message: `denied by ${name}` },
        }),
      },
    });
    await bench.cluster.create(await holder('zulu'));
    await bench.prober.until('the first to deny', PROBE, denies('denied by zulu'));
    await new Promise((resolve) => void setTimeout(resolve, 1100));
    await bench.cluster.create(await holder('alpha'));
    // A new replica hears of them in another order.
    const late = await bench.cluster.replicas.add();
    await untilSettled(bench.cluster);
    ok((await bench.prober.ask(PROBE)).every(denies('denied by zulu')));
    await bench.cluster.replicas.remove(late);
    for (const name of ['zulu', 'alpha']) await bench.cluster.remove(await holder(name));
    await bench.prober.until('both to be gone', PROBE, allows);
  });

  test('a definition is removed and restored', async () => {
    const group = portcullisObject(
      'PolicyGroup',
      { name: 'both' },
      { match: IN_TEAM, expression: 'no()', message: 'denied by both', members: { no: { module: DENY } } },
    );
    await bench.cluster.apply(group);
    await bench.prober.until('the group to deny', PROBE, denies('denied by both'));
    await untilSettled(bench.cluster);
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/policygroups.portcullis.dev';
    const { body } = await bench.cluster.kube.request('GET', path);
    equal((await bench.cluster.kube.request('DELETE', path)).status, 200);
    await waitUntil(
      async () =>
        /the definition of policygroups is gone/.test(
          JSON.stringify(
            await Promise.all(
              bench.cluster.replicas.all().map((replica) => bench.cluster.view(replica).policies()),
            ),
          ),
        ),
      {
        what: 'replicas to say so',
      },
    );
    await bench.goesOn();
    ok((await bench.prober.ask(PROBE)).every(denies('denied by both')));
    ok(!(await bench.statuses()).includes('"synced":false'));
    await bench.cluster.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'policygroups.portcullis.dev' },
      spec: at(body, 'spec'),
    });
    await bench.prober.until('the group to go with the list of the new kind', PROBE, allows, 60_000);
    await bench.cluster.apply(group);
    await bench.prober.until('the group to deny again', PROBE, denies('denied by both'));
    await bench.cluster.remove(group);
    await bench.prober.until('the group to be gone', PROBE, allows);
  });

  test('certificates rotate under load; the authority stays', async () => {
    for (let round = 0; round < 3; round += 1) {
      await bench.cluster.rotateCertificate();
      await bench.goesOn(30);
    }
    deepEqual(await bench.metrics('portcullis_registration', { state: 'failing' }), [0, 0, 0]);
  });
});
