import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { startChildProcess, type ChildProcess } from '../support/child-process.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { freePorts } from '../support/free-ports.ts';
import { createHttpsClient, type HttpsClient } from '../support/https-client.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import {
  at,
  collectionPath,
  configMap,
  mutatingWebhookConfiguration,
  namespace,
  pod,
  validatingWebhookConfiguration,
  type KubernetesObject,
} from '../support/kubernetes-objects.ts';
import { writePortcullisFiles } from '../support/portcullis-config.ts';
import { annotateModule, buildRego } from '../support/rego-module.ts';
import { createServiceAccount } from '../support/service-account.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'packages/server/src/cli/main.js');
/** A policy on the Rust SDK of Kubewarden. */
const OFFICIAL = join(ROOT, 'packages/server/test/engines/kubewarden/official-sdk.wasm');
const PATTERNS = join(ROOT, 'policies/image-patterns-wapc/image-patterns-wapc.wasm');
/** Reads the Ingresses of the cluster. */
const HOSTS = join(ROOT, 'policies/unique-hosts-wapc/unique-hosts-wapc.wasm');
/** Without metadata, which say how it is run: they are written here as an author would. */
const REGO = join(ROOT, 'policies/memory-limits-rego/memory-limits-rego.wasm');
/** See ConfigMaps and Namespaces of the cluster, as Gatekeeper shows them and as OPA does. */
const REGISTRIES = join(ROOT, 'policies/namespace-registries-rego');

/** As its controller writes it; the group wants a limit of memory, or an image that needs none. */
const POLICIES_YML = `
names: {module: file://official.wasm, policyMode: protect, settings: {denied: [forbidden]}}
watched: {module: file://official.wasm, policyMode: monitor, settings: {denied: [watched]}}
labels: {module: file://official.wasm, policyMode: protect, allowedToMutate: true, settings: {label: seen}}
hosts:
  module: file://hosts.wasm
  policyMode: protect
  hostCapabilities: ['kubernetes/list_resources_all']
  contextAwareResources: [{apiVersion: networking.k8s.io/v1, kind: Ingress}]
stubborn: {module: file://official.wasm, policyMode: protect, settings: {label: seen}}
gatekeeper:
  module: file://gatekeeper.wasm
  policyMode: protect
  contextAwareResources: &kinds [{apiVersion: v1, kind: ConfigMap}, {apiVersion: v1, kind: Namespace}]
opa: {module: file://opa.wasm, policyMode: protect, contextAwareResources: *kinds}
either:
  policyMode: protect
  expression: "limits() || images()"
  message: set a limit of memory, or take the image that needs none
  policies:
    limits: {module: file://rego.wasm, settings: {max: 512Mi}}
    images: {module: file://patterns.wasm, settings: {allowed: ['registry.test/small*']}}
`;

const VALIDATING = ['names', 'watched', 'either'];
const SMALL = 'registry.test/small:1';
const NAMESPACE = 'judged';
const OTHER = 'stubborn';
const NAMED = 'registries';

// The configuration objects and the file are those of a cluster with Kubewarden; only the server is ours.
describeWithKubernetes(
  "in the place of Kubewarden's policy-server",
  () => {
    let kube: KubeApiserver;
    let server: ChildProcess;
    let managementUrl: string;
    let client: HttpsClient;

    const create = (object: KubernetesObject, query = ''): ReturnType<KubeApiserver['request']> =>
      kube.request('POST', collectionPath(object) + query, object);
    const judged = (name: string, image = SMALL): KubernetesObject =>
      pod({ name, namespace: NAMESPACE }, image);

    before(async () => {
      const directory = await createWorkDirectory('policy-server');
      const authority = await createAuthority();
      const { certFile, keyFile } = await writePortcullisFiles(
        directory,
        await issueServerCertificate(authority),
      );
      await writeFile(join(directory, 'policies.yml'), POLICIES_YML);
      for (const [name, file] of Object.entries({ official: OFFICIAL, patterns: PATTERNS, hosts: HOSTS })) {
        await copyFile(file, join(directory, `${name}.wasm`));
      }
      const asGatekeeper = join(REGISTRIES, 'namespace-registries-rego.wasm');
      await annotateModule(REGO, 'gatekeeper', join(directory, 'rego.wasm'));
      await annotateModule(asGatekeeper, 'gatekeeper', join(directory, 'gatekeeper.wasm'));
      // The policy-server knows the first entry point only, so that one has to be the one of OPA.
      const asOpa = join(directory, 'first.wasm');
      await buildRego(join(REGISTRIES, 'policy.rego'), 'namespace_registries/main', asOpa);
      await annotateModule(asOpa, 'opa', join(directory, 'opa.wasm'));
      const [port = 0, probePort = 0, managementPort = 0] = await freePorts(3);
      managementUrl = `http://127.0.0.1:${managementPort}`;
      const variables = {
        KUBEWARDEN_BIND_ADDRESS: '127.0.0.1',
        KUBEWARDEN_PORT: String(port),
        KUBEWARDEN_READINESS_PROBE_PORT: String(probePort),
        KUBEWARDEN_POLICIES: join(directory, 'policies.yml'),
        KUBEWARDEN_POLICIES_DOWNLOAD_DIR: join(directory, 'data'),
        KUBEWARDEN_CERT_FILE: certFile,
        KUBEWARDEN_KEY_FILE: keyFile,
        PORTCULLIS_MANAGEMENT_PORT: String(managementPort),
      };
      kube = await startKubeApiserver({ directory: await createWorkDirectory('policy-server-kubernetes') });
      const account = await createServiceAccount({
        kube,
        directory,
        namespace: 'kubewarden',
        name: 'policy-server',
        clusterRules: [
          { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list', 'watch'] },
          { apiGroups: [''], resources: ['configmaps', 'namespaces'], verbs: ['list', 'watch'] },
        ],
      });
      const api = new URL(kube.url);
      server = await startChildProcess({
        command: process.execPath,
        args: [MAIN, 'policy-server'],
        env: {
          ...variables,
          // As in a pod whose account may read what the policies ask for, and no more.
          KUBERNETES_SERVICE_HOST: api.hostname,
          KUBERNETES_SERVICE_PORT: api.port,
          PORTCULLIS_KUBERNETES_KUBECONFIG: account.kubeconfigPath,
        },
        logFile: join(directory, 'policy-server.log'),
      });
      await waitUntil(
        async () =>
          (await fetch(`http://127.0.0.1:${probePort}/readiness`).catch(() => undefined))?.status === 200,
        { what: 'the policy-server to be ready', within: 60_000 },
      );

      const url = `https://127.0.0.1:${port}`;
      const { pem: caPem } = authority;
      client = createHttpsClient({ url, caPem });
      for (const name of [NAMESPACE, OTHER, NAMED]) equal((await create(namespace(name))).status, 201);
      for (const id of VALIDATING) {
        const hook = { name: id, url: `${url}/validate/${id}`, caPem, namespace: NAMESPACE };
        equal((await create(validatingWebhookConfiguration(hook))).status, 201);
      }
      for (const id of ['gatekeeper', 'opa']) {
        const hook = { name: id, url: `${url}/validate/${id}`, caPem, namespace: NAMED };
        equal((await create(validatingWebhookConfiguration(hook))).status, 201);
      }
      for (const [id, where] of [
        ['labels', NAMESPACE],
        ['stubborn', OTHER],
      ] as const) {
        const hook = { name: id, url: `${url}/validate/${id}`, caPem, namespace: where };
        equal((await create(mutatingWebhookConfiguration(hook))).status, 201);
      }
      const ingresses = {
        apiGroups: ['networking.k8s.io'],
        apiVersions: ['v1'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['ingresses'],
      };
      const hook = {
        name: 'hosts',
        url: `${url}/validate/hosts`,
        caPem,
        namespace: NAMESPACE,
        rules: [ingresses],
      };
      equal((await create(validatingWebhookConfiguration(hook))).status, 201);
      await waitUntil(
        async () => {
          const denials = await Promise.all([
            create(judged('forbidden'), '?dryRun=All'),
            create(judged('probe', 'registry.test/large:1'), '?dryRun=All'),
            create(pod({ name: 'probe', namespace: OTHER }), '?dryRun=All'),
          ]);
          const { body } = await create(judged('probe'), '?dryRun=All');
          const isChanged = at(body, 'metadata', 'labels', 'seen') === 'yes';
          return isChanged && denials.every(({ status }) => status >= 400);
        },
        { what: 'the webhooks to act' },
      );
    });

    after(async () => {
      client?.close();
      const [exit] = await Promise.all([server?.stop(), kube?.stop()]);
      deepEqual(exit, { code: 0, signal: null }, server?.logs());
    });

    test('what all of them allow is stored, with the patch of the mutating policy', async () => {
      const made = await create(judged('fine'));
      equal(made.status, 201, made.text);
      const stored = await kube.request('GET', `/api/v1/namespaces/${NAMESPACE}/pods/fine`);
      deepEqual(at(stored.body, 'metadata', 'labels'), { seen: 'yes' });
    });

    test('a denial with text and code, and a warning of the policy', async () => {
      const denied = await create(judged('forbidden'));
      equal(denied.status, 422, denied.text);
      match(
        String(at(denied.body, 'message')),
        /^admission webhook "names\.portcullis\.test" denied the request: the name `forbidden` is denied$/,
      );
      const kubectl = await kube.kubectl(['create', '-f', '-'], JSON.stringify(judged('forbidden')));
      equal(kubectl.code, 1);
      match(kubectl.stderr, /^Warning: see the list$/m);
      match(kubectl.stderr, /the name `forbidden` is denied/);
    });

    test('a policy that watches denies nobody', async () => {
      const made = await create(judged('watched'));
      equal(made.status, 201, made.text);
    });

    test('a group by its expression, with what its members found', async () => {
      const denied = await create(judged('large', 'registry.test/large:1'));
      equal(denied.status, 400, denied.text);
      match(String(at(denied.body, 'message')), /set a limit of memory, or take the image that needs none$/);
      deepEqual(
        (at(denied.body, 'details', 'causes') as readonly object[]).map((cause) => at(cause, 'field')),
        ['spec.policies.limits', 'spec.policies.images'],
      );
      const limited = pod({ name: 'limited', namespace: NAMESPACE }, 'registry.test/large:1', {
        containers: [
          { name: 'app', image: 'registry.test/large:1', resources: { limits: { memory: '256Mi' } } },
        ],
      });
      const made = await create(limited);
      equal(made.status, 201, made.text);
    });

    test('a policy that may not mutate and does is a denial', async () => {
      const denied = await create(pod({ name: 'changed', namespace: OTHER }));
      equal(denied.status, 400, denied.text);
      match(
        String(at(denied.body, 'message')),
        /Request rejected by policy stubborn\. The policy attempted to mutate the request/,
      );
    });

    test('a policy that reads the cluster', async () => {
      equal((await create(ingress('first', OTHER))).status, 201);
      await waitUntil(
        async () => (await create(ingress('second', NAMESPACE), '?dryRun=All')).status === 422,
        {
          what: 'the policy to know the Ingress',
        },
      );
      const denied = await create(ingress('second', NAMESPACE));
      match(String(at(denied.body, 'message')), /the host `a\.test` belongs to the Ingress stubborn\/first$/);
    });

    test('policies in Rego see the cluster, in both modes', async () => {
      const pods = (image: string): KubernetesObject => pod({ name: 'web', namespace: NAMED }, image);
      const audit = async (id: string, image: string): Promise<string> => {
        const answer = await client.request('POST', `/audit/${id}`, reviewOf(pods(image)));
        const { status } = at(answer.body, 'response') as { status?: { message: string } };
        return at(answer.body, 'response', 'allowed') === true ? 'allowed' : String(status?.message);
      };
      const refused = /is from none of the registries that the namespace "registries" names$/;
      await waitUntil(async () => (await create(pods(SMALL), '?dryRun=All')).status >= 400, {
        what: 'the webhooks to act',
      });
      for (const id of ['gatekeeper', 'opa']) match(await audit(id, SMALL), refused);
      const registries = configMap({ name: 'registries', namespace: NAMED }, { prefixes: 'registry.test/' });
      equal((await create(registries)).status, 201);
      await waitUntil(async () => (await create(pods(SMALL), '?dryRun=All')).status === 201, {
        what: 'the registry to be known',
      });
      for (const id of ['gatekeeper', 'opa']) {
        equal(await audit(id, SMALL), 'allowed');
        match(await audit(id, 'elsewhere.test/app'), refused);
      }
      const raw = await client.request('POST', '/validate_raw/gatekeeper', { request: {} });
      deepEqual(at(raw.body, 'response', 'status'), {
        message: 'Gatekeeper does not support raw validation requests',
        code: 500,
      });
    });

    test('it takes nothing of the cluster but what policies ask for: no lease, no registration, no refused request', async () => {
      const leases = await kube.request('GET', '/apis/coordination.k8s.io/v1/namespaces/kubewarden/leases');
      deepEqual(at(leases.body, 'items'), [], leases.text);
      const status = await fetch(`${managementUrl}/metrics`);
      match(await status.text(), /^portcullis_leader 0$/m);
      doesNotMatch(server.logs(), /PC_KUBE/);
    });

    test('metrics have the names and labels of a policy-server', async () => {
      const line =
        /^kubewarden_policy_evaluations_total\{policy_name="names",policy_mode="protect",resource_kind="Pod",resource_namespace="judged",resource_request_operation="CREATE",accepted="false",mutated="false",request_origin="validate",error_code="422",initialization_error=""\} \d+$/m;
      await waitUntil(async () => line.test(await (await fetch(`${managementUrl}/metrics`)).text()), {
        what: 'the denials to be counted',
      });
    });
  },
  ['kubernetes-1.36', 'opa-1'],
);

function reviewOf(object: KubernetesObject): object {
  return {
    request: {
      uid: 'a-review',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: object.metadata.name,
      namespace: NAMED,
      operation: 'CREATE',
      userInfo: { username: 'alice' },
      object,
      oldObject: null,
    },
  };
}

/** Takes the host `a.test`. */
function ingress(name: string, where: string): KubernetesObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: where },
    spec: {
      rules: [
        {
          host: 'a.test',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  };
}
