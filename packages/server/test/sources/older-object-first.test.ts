import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '../../src/kube/kube-client.ts';
import { objectKey, type KubeObject } from '../../src/kube/kube-object.ts';
import type { Reflector } from '../../src/kube/reflector/reflector-types.ts';
import { createCustomResourceSource } from '../../src/sources/crd/custom-resource-source.ts';
import { CONFIG_MAPS } from '../../src/sources/kube-data/data-object.ts';
import { createDataObjectSource } from '../../src/sources/kube-data/data-object-source.ts';
import type { Reflect } from '../../src/sources/reflect.ts';
import type { DocumentSource } from '../../src/sources/source.ts';
import { createFakeKubeHost } from '../kube/support/fake-kube-host.ts';

const EARLY = '2026-11-01T10:00:00Z';
const LATE = '2026-11-01T10:00:01Z';

/** Reflectors that have heard of these objects in this order, and hear of nothing else. */
function heardOf(objects: readonly KubeObject[]): Reflect {
  return ({ resource, project }) => {
    const items = objects.filter(({ kind }) => kind === resource.kind);
    const reflector: Pick<Reflector<unknown>, 'start' | 'synced' | 'get' | 'items' | 'subscribe'> = {
      start: () => undefined,
      synced: Promise.resolve(),
      get: () => undefined,
      *items() {
        for (const object of items) yield [objectKey(object.metadata), project(object)];
      },
      subscribe: () => () => undefined,
    };
    return reflector as never;
  };
}

const configMap = (name: string, creationTimestamp: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'own', creationTimestamp },
  data: {
    'policy.yaml':
      'apiVersion: portcullis.dev/v1\nkind: Policy\nmetadata: {name: claimed}\nspec: {module: {file: m}}',
  },
});

const custom = (kind: string, name: string, creationTimestamp: string): KubeObject => ({
  apiVersion: 'portcullis.dev/v1',
  kind,
  metadata: { name, creationTimestamp },
  spec: {},
});

async function containers(source: DocumentSource): Promise<readonly string[]> {
  return (await source.read()).map(({ container }) => container);
}

for (const order of ['as they were made', 'the other way round'] as const) {
  const heard = (objects: readonly KubeObject[]): Reflect =>
    heardOf(order === 'as they were made' ? objects : objects.toReversed());

  test(`of two ConfigMaps the older one is read first, heard of ${order}`, async () => {
    const source = createDataObjectSource({
      kind: CONFIG_MAPS,
      namespace: 'own',
      labelSelector: 'plugin',
      reflect: heard([configMap('zulu', EARLY), configMap('bravo', LATE), configMap('alpha', LATE)]),
    });
    assert.deepEqual(await containers(source), [
      'ConfigMap/own/zulu',
      // Of one second: the name decides.
      'ConfigMap/own/alpha',
      'ConfigMap/own/bravo',
    ]);
  });

  test(`of a group and a policy the older one is read first, heard of ${order}`, async () => {
    const source = createCustomResourceSource({
      reflect: heard([custom('PolicyGroup', 'twin', EARLY), custom('Policy', 'twin', LATE)]),
      // Asked only whether definitions are missing: nobody can say.
      client: { get: () => new Promise(() => undefined) } as unknown as KubeClient,
      runtime: createFakeKubeHost(),
    });
    source.start();
    assert.deepEqual(await containers(source), [
      'policygroups.portcullis.dev/twin',
      'policies.portcullis.dev/twin',
    ]);
  });
}
