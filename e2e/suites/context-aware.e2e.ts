import { deepEqual, equal, match } from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createHost } from '../../packages/server/src/app/create-host.ts';
import { createClock } from '../../packages/server/src/app/clock.ts';
import { isFault } from '../../packages/server/src/kernel/fault.ts';
import { anonymousKeychain } from '../../packages/server/src/oci/auth/credential.ts';
import { contentDigest } from '../../packages/server/src/oci/content-digest.ts';
import { createOciClient } from '../../packages/server/src/oci/create-oci-client.ts';
import { parseReference } from '../../packages/server/src/oci/reference.ts';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { compileGuest } from '../support/compile-guest.ts';
import { endToEndRequired } from '../support/components.ts';
import { findDebianProgram } from '../support/debian-program.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts';
import { freePort, freePorts } from '../support/free-ports.ts';
import { createHttpsClient, type HttpsClient, type HttpsResponse } from '../support/https-client.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import {
  at,
  collectionPath,
  configMap,
  namespace,
  validatingWebhookConfiguration,
  type KubernetesObject,
} from '../support/kubernetes-objects.ts';
import { portcullisConfig, writePolicy, writePortcullisFiles } from '../support/portcullis-config.ts';
import { startPortcullis, type Portcullis } from '../support/portcullis.ts';
import { createServiceAccount } from '../support/service-account.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const UNIQUE_HOSTS = join(
  import.meta.dirname,
  '..',
  '..',
  'policies',
  'unique-hosts-wapc',
  'unique-hosts-wapc.wasm',
);
const TEAM = 'team-a';
const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' };
const CONFIG_MAP = { api_version: 'v1', kind: 'ConfigMap' };
const READABLE = [
  INGRESS,
  { apiVersion: 'v1', kind: 'ConfigMap' },
  // The policy may, the server may not.
  { apiVersion: 'v1', kind: 'Node' },
];
const registryProgram = await findDebianProgram('docker-registry');

// Policies of Kubewarden that ask about the cluster and about images, and the real ones answer.
describeWithKubernetes('context-aware', () => {
  let kube: KubeApiserver;
  let portcullis: Portcullis;
  let client: HttpsClient;
  let registry: DockerRegistry | undefined;
  let probe: Uint8Array;
  let policies: string;
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let image = '';
  let digest = '';

  const create = (object: KubernetesObject, query = ''): Promise<HttpsResponse> =>
    kube.request('POST', collectionPath(object) + query, object);
  const ingress = (name: string, host: string, where = TEAM): KubernetesObject => ({
    ...INGRESS,
    metadata: { name, namespace: where },
    spec: {
      rules: [{ host }],
      defaultBackend: { service: { name: 'web', port: { number: 80 } } },
    },
  });

  let probes = 0;
  /** What a policy is told that asks the host this: JSON, or `error: …`. */
  async function ask(capability: string, payload: unknown, spec: object = {}): Promise<string> {
    const name = `probe-${(probes += 1)}`;
    const [, asked = '', operation = ''] = /^([^/]+)\/(.+)$/.exec(capability) ?? [];
    await writePolicy(policies, name, probe, {
      engine: 'kubewarden',
      capabilities: ['*'],
      contextAwareResources: READABLE,
      settings: { namespace: asked, operation, payload },
      match: { resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] },
      ...spec,
    });
    let message = '';
    await waitUntil(
      async () => {
        const { text, body } = await judge(name);
        equal(at(body, 'response', 'allowed'), false, text);
        message = String(at(body, 'response', 'status', 'message'));
        return !message.startsWith('there is no validate policy');
      },
      { what: `${name} to be loaded` },
    );
    return message.replace(`[${name}] `, '');
  }
  const told = async (...question: Parameters<typeof ask>): Promise<unknown> => {
    const answer = await ask(...question);
    try {
      return JSON.parse(answer) as unknown;
    } catch {
      throw new Error(answer);
    }
  };
  const judge = (policy: string): Promise<HttpsResponse> =>
    client.request('POST', `/admission/validate/${policy}`, reviewOfConfigMap());

  before(async () => {
    const directory = await createWorkDirectory('context-aware');
    kube = await startKubeApiserver({ directory: await createWorkDirectory('context-aware-kubernetes') });
    equal((await create(namespace(TEAM))).status, 201);
    const account = await createServiceAccount({
      kube,
      directory,
      namespace: 'portcullis',
      name: 'portcullis',
      clusterRules: [
        { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
      ],
    });
    if (typeof registryProgram !== 'string') {
      registry = await startDockerRegistry({
        program: registryProgram.path,
        directory: join(directory, 'registry'),
      });
      image = `${registry.host}/team/app:v1`;
      digest = await pushSigned(image, keys.privateKey);
    } else if (endToEndRequired()) throw new Error(registryProgram);
    probe = await compileGuest('ask-host', directory);

    const authority = await createAuthority();
    const files = await writePortcullisFiles(directory, await issueServerCertificate(authority));
    ({ policies } = files);
    await writePolicy(policies, 'unique-hosts', await readFile(UNIQUE_HOSTS), {
      engine: 'kubewarden',
      capabilities: ['kubernetes/list_resources_all'],
      contextAwareResources: [INGRESS],
      match: {
        resources: [{ apiGroups: ['networking.k8s.io'], apiVersions: ['v1'], resources: ['ingresses'] }],
      },
    });
    const [port = 0, managementPort = 0] = await freePorts(2);
    const unused = `127.0.0.1:${await freePort()}`;
    const config = portcullisConfig({
      files,
      port,
      managementPort,
      sections: {
        kubernetes: {
          enabled: true,
          kubeconfig: account.kubeconfigPath,
          resources: false,
          configMaps: '',
          namespaceLabels: false,
        },
        sources: { oci: { plainHttp: [registry?.host ?? unused, unused] } },
      },
    });
    portcullis = await startPortcullis({ directory, config, managementPort });
    client = createHttpsClient({ url: `https://127.0.0.1:${port}`, caPem: authority.pem });
    const hook = validatingWebhookConfiguration({
      name: 'hosts',
      url: `https://127.0.0.1:${port}/admission/validate/unique-hosts`,
      caPem: authority.pem,
      namespace: TEAM,
      rules: [{ ...HOOK_RULE }],
    });
    equal((await create(hook)).status, 201);
  });

  after(async () => {
    client?.close();
    const exit = await portcullis?.stop();
    await Promise.all([kube?.stop(), registry?.stop()]);
    deepEqual(exit, { code: 0, signal: null }, portcullis?.logs());
  });

  test('a policy decides by what is in the cluster, and follows what changes there', async () => {
    equal((await create(ingress('shop', 'shop.example'))).status, 201);
    const second = ingress('copy', 'shop.example');
    await waitUntil(async () => (await create(second, '?dryRun=All')).status === 422, {
      what: 'the host to be taken',
    });
    match((await create(second)).text, /the host `shop\.example` belongs to the Ingress team-a\/shop/);
    equal((await create(ingress('other', 'other.example'))).status, 201);
    equal((await kube.request('DELETE', `${collectionPath(second)}/shop`)).status, 200);
    await waitUntil(async () => (await create(second, '?dryRun=All')).status === 201, {
      what: 'the host to be free again',
    });
    equal((await create(second)).status, 201);
    const metrics = await (await fetch(`${portcullis.managementUrl}/metrics`)).text();
    match(metrics, /^portcullis_\w*stale\w*\{.*ingresses\.networking\.k8s\.io for policies.*\} /m);
  });

  test('lists are narrowed by namespace, labels and fields; one object is read by name', async () => {
    for (const [name, tier] of [
      ['one', 'web'],
      ['two', 'db'],
    ] as const) {
      const labels = { tier };
      equal((await create(configMap({ name, namespace: TEAM, labels }, { tier }))).status, 201);
    }
    const list = await told('kubernetes/list_resources_by_namespace', {
      ...CONFIG_MAP,
      namespace: TEAM,
      label_selector: 'tier=web',
      field_masks: ['metadata.name', 'data.tier'],
    });
    deepEqual(at(list, 'items'), [{ metadata: { name: 'one' }, data: { tier: 'web' } }]);
    equal(at(list, 'kind'), 'ConfigMapList');
    const byField = { ...CONFIG_MAP, field_selector: 'metadata.name=two', field_masks: ['metadata.name'] };
    deepEqual(at(await told('kubernetes/list_resources_all', byField), 'items'), [
      { metadata: { name: 'two' } },
    ]);
    const one = { ...CONFIG_MAP, name: 'one', namespace: TEAM, disable_cache: true };
    deepEqual(at(await told('kubernetes/get_resource', one), 'data'), { tier: 'web' });
  });

  test('who may do what is what the API server says', async () => {
    const review = (user: string, groups: readonly string[] | null): object => ({
      subject_access_review: {
        user,
        groups,
        resource_attributes: { verb: 'create', resource: 'pods', namespace: TEAM },
      },
      disable_cache: false,
    });
    equal(at(await told('kubernetes/can_i', review('root', ['system:masters'])), 'allowed'), true);
    equal(at(await told('kubernetes/can_i', review('nobody', null)), 'allowed'), false);
  });

  test('what a policy is not granted, and what the server may not read, it is not told', async () => {
    const secrets = { api_version: 'v1', kind: 'Secret' };
    equal(
      await ask('kubernetes/list_resources_all', secrets),
      'error: Policy has not been granted access to Kubernetes v1/Secret resources. The violation has been reported.',
    );
    equal(
      await ask('kubernetes/can_i', {}, { capabilities: ['kubernetes/get_resource'] }),
      "error: Policy has not been granted access to the 'kubernetes/can_i' host capability. The violation has been reported.",
    );
    match(
      await ask('kubernetes/list_resources_all', { api_version: 'v1', kind: 'Node' }),
      /^error: Callback evaluation failure: nodes cannot be read: .*forbidden/,
    );
    match(
      await ask('kubernetes/get_resource', {
        ...CONFIG_MAP,
        name: 'none',
        namespace: TEAM,
        disable_cache: true,
      }),
      /^error: Callback evaluation failure: .*not found/,
    );
    equal(await portcullis.isReady(), true);
  });

  test('images: digest, manifest, and signatures of a real registry', async (t) => {
    if (registry === undefined) return t.skip('there is no docker-registry');
    deepEqual(await told('oci/v1/manifest_digest', image), { digest });
    equal(at(await told('oci/v1/oci_manifest', image), 'schemaVersion'), 2);
    deepEqual(at(await told('oci/v1/oci_manifest_config', image), 'config'), { architecture: 'amd64' });
    const verify = (publicKey: typeof keys.publicKey): object => ({
      type: 'SigstorePubKeyVerify',
      image,
      pub_keys: [publicKey.export({ type: 'spki', format: 'pem' })],
      annotations: { env: 'test' },
    });
    deepEqual(await told('oci/v2/verify', verify(keys.publicKey)), { is_trusted: true, digest });
    const { publicKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    match(
      await ask('oci/v2/verify', verify(other)),
      /^error: Callback evaluation failure: .* is not signed: none of its signatures is of that key$/,
    );
    return undefined;
  });

  test('a registry that is not there, and an address inside of the network, are errors', async () => {
    match(
      await ask('oci/v1/manifest_digest', '127.0.0.1:1/team/app:v1'),
      /^error: Callback evaluation failure: /,
    );
    match(
      await ask('oci/v1/manifest_digest', '10.0.0.1/team/app:v1'),
      /^error: Callback evaluation failure: /,
    );
    match(await ask('net/v1/dns_lookup_host', 'localhost'), /^error: Callback evaluation failure: /);
    deepEqual(await told('net/v1/dns_lookup_host', '1.1.1.1'), { ips: ['1.1.1.1'] });
  });

  test('what was asked, refused and not had is counted, by capability and registry', async () => {
    const calls = (capability: string, outcome: string): RegExp =>
      new RegExp(
        `^portcullis_host_calls_total\\{capability="${capability}",outcome="${outcome}"\\} [1-9]`,
        'm',
      );
    const expected = [
      calls('kubernetes/list_resources_all', 'ok'),
      calls('kubernetes/list_resources_all', 'refused'),
      calls('kubernetes/can_i', 'refused'),
      calls('kubernetes/get_resource', 'failed'),
      calls('net/v1/dns_lookup_host', 'ok'),
      /^portcullis_host_call_duration_seconds_count\{capability="kubernetes\/list_resources_all"\} [1-9]/m,
      /^portcullis_registry_requests_total\{registry="127\.0\.0\.1:1",outcome="blocked"\} [1-9]/m,
    ];
    let metrics = '';
    // Threads tell what they have counted four times a second.
    await waitUntil(
      async () => {
        metrics = await (await fetch(`${portcullis.managementUrl}/metrics`)).text();
        return calls('net/v1/dns_lookup_host', 'ok').test(metrics);
      },
      { what: 'the last call to be counted' },
    );
    for (const line of expected) match(metrics, line);
    equal(/^portcullis_.*metadata\.name/m.test(metrics), false, 'what a guest selects by is in a metric');
  });

  test('an API server that is gone: what is known is used, the rest is an error, and others are judged', async () => {
    const known = await told('kubernetes/list_resources_all', { ...CONFIG_MAP, label_selector: 'tier' });
    await kube.kill();
    const still = await told('kubernetes/list_resources_all', { ...CONFIG_MAP, label_selector: 'tier' });
    deepEqual(still, known);
    match(
      await ask('kubernetes/get_resource', {
        ...CONFIG_MAP,
        name: 'x',
        namespace: TEAM,
        disable_cache: true,
      }),
      /^error: Callback evaluation failure: |exceeded the allowed execution time/,
    );
  });
});

const HOOK_RULE = {
  apiGroups: ['networking.k8s.io'],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['ingresses'],
} as const;

function reviewOfConfigMap(): object {
  const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
  const resource = { group: '', version: 'v1', resource: 'configmaps' };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'a-review',
      kind,
      resource,
      name: 'x',
      namespace: TEAM,
      operation: 'CREATE',
      userInfo: { username: 'alice' },
      object: configMap({ name: 'x', namespace: TEAM }, {}),
      dryRun: false,
    },
  };
}

/** An image and its signature, as cosign stores it; the answer is the digest of the image. */
async function pushSigned(image: string, key: Parameters<typeof sign>[2]): Promise<string> {
  const log = { enabled: () => false, log: () => undefined };
  const client = createOciClient({
    runtime: createHost(createClock(), log),
    keychain: anonymousKeychain,
    timeout: 20_000,
    allowPrivate: true,
    mirrors: [],
    plainHttp: () => true,
    userAgent: 'portcullis-e2e',
  });
  const ok = <T>(value: T): Exclude<T, Error> => {
    if (value instanceof Error) throw value;
    return value as Exclude<T, Error>;
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const push = async (
    reference: string,
    config: Buffer,
    layer: { readonly bytes: Buffer; readonly type: string; readonly annotations?: object },
  ): Promise<string> => {
    const target = ok(parseReference(reference));
    if (isFault(target)) throw target;
    for (const blob of [config, layer.bytes]) ok(await client.pushBlob(target, blob));
    const describe = (type: string, bytes: Buffer): object => ({
      mediaType: type,
      digest: contentDigest(bytes),
      size: bytes.length,
    });
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: [{ ...describe(layer.type, layer.bytes), annotations: layer.annotations ?? {} }],
    };
    return ok(await client.pushManifest(target, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType }));
  };
  const layer = { bytes: Buffer.from('a layer'), type: 'application/vnd.oci.image.layer.v1.tar' };
  const digest = await push(image, Buffer.from('{"architecture":"amd64"}'), layer);
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': image },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: { env: 'test' },
    }),
  );
  const signature = sign('sha256', payload, key).toString('base64');
  await push(image.replace(/:v1$/, `:${digest.replace(':', '-')}.sig`), Buffer.from('{}'), {
    bytes: payload,
    type: 'application/vnd.dev.cosign.simplesigning.v1+json',
    annotations: { 'dev.cosignproject.cosign/signature': signature },
  });
  client.close();
  return digest;
}
