import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Policy } from '../../packages/contract/src/index.ts';
import { describeStaticManifests } from '../../packages/server/src/cluster/registration/static-manifests.ts';
import { makePolicy } from '../../packages/server/test/support/make-policy.ts';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import { pod, validatingWebhookConfiguration } from '../support/kubernetes-objects.ts';
import { startRecordingWebhook, type RecordingWebhook } from '../support/recording-webhook.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const PODS = '/api/v1/namespaces/default/pods?dryRun=All';
const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

// An API server that reads what `portcullis manifests --static` prints.
describeWithKubernetes(
  'static manifests',
  () => {
    let kube: KubeApiserver;
    let webhook: RecordingWebhook;
    let caBundle: string;
    let directory: string;

    async function write(policies: readonly Policy[]): Promise<void> {
      const manifests = describeStaticManifests(policies, { url: webhook.url, caBundle });
      deepEqual(manifests.notes, []);
      for (const kind of ['validating', 'mutating'] as const) {
        await mkdir(join(directory, kind), { recursive: true });
        // Whole or not at all; the name that it is written under is none that the API server reads.
        const path = join(directory, kind, 'portcullis');
        await writeFile(`${path}.next`, manifests[kind] ?? '');
        await rename(`${path}.next`, `${path}.yaml`);
      }
    }

    const calls = async (): Promise<string[]> => {
      webhook.calls.length = 0;
      const made = await kube.request('POST', PODS, pod({ name: 'a' }));
      equal(made.status, 201, made.text);
      return webhook.calls.toSorted((a, b) => a.localeCompare(b));
    };

    before(async () => {
      directory = await createWorkDirectory('static-manifests');
      const authority = await createAuthority();
      caBundle = authority.pem;
      webhook = await startRecordingWebhook(await issueServerCertificate(authority));
      await write([judge('judge', '', 'pods'), judge('change', '', 'pods', 'mutate'), GUARD]);
      kube = await startKubeApiserver({
        directory: await createWorkDirectory('static-manifests-kubernetes'),
        version: '1.37',
        admissionControl: {
          validatingManifests: join(directory, 'validating'),
          mutatingManifests: join(directory, 'mutating'),
        },
      });
    });

    after(async () => {
      webhook?.close();
      await kube?.stop();
    });

    test('both kinds are read and act, and guard registrations too', async () => {
      deepEqual(await calls(), [
        '/admission/fail/mutate CREATE pods',
        '/admission/fail/validate CREATE pods',
      ]);
      webhook.calls.length = 0;
      const hook = validatingWebhookConfiguration({
        name: 'other',
        url: 'https://127.0.0.1:1',
        caPem: caBundle,
      });
      equal((await kube.request('POST', `${HOOKS}?dryRun=All`, hook)).status, 201);
      deepEqual(webhook.calls, ['/admission/fail/validate CREATE validatingwebhookconfigurations']);
    });

    test('changed files are in force without a restart', async () => {
      await write([judge('judge', '', 'pods'), judge('change', '', 'services', 'mutate')]);
      const seen = await waitUntil(
        async () => {
          const now = await calls();
          return now.length === 1 && now;
        },
        { what: 'the files to be read again' },
      );
      deepEqual(seen, ['/admission/fail/validate CREATE pods']);
      ok(!kube.logs().includes('reloading admission manifest config'), 'the API server refused a file');
    });
  },
  ['kubernetes-1.36', 'kubernetes-1.37'],
);

function judge(
  name: string,
  group: string,
  resource: string,
  phase: 'validate' | 'mutate' = 'validate',
): Policy {
  const { match } = makePolicy(name).spec;
  const rule = { apiGroups: [group], apiVersions: ['v1'], resources: [resource] };
  return makePolicy(name, {
    phase,
    match: { ...match, operations: ['CREATE'], resources: [{ ...rule, scope: '*', resourceNames: [] }] },
  });
}

const GUARD = judge('guard', 'admissionregistration.k8s.io', 'validatingwebhookconfigurations');
