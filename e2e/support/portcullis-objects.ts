import { equal } from 'node:assert/strict';
import { describeDefinitions } from '../../packages/server/src/policy/custom-resources/describe-definitions.ts';
import type { KubeApiserver } from './kube-apiserver.ts';
import { at, collectionPath, type KubernetesObject, type Metadata } from './kubernetes-objects.ts';
import { waitUntil } from './wait-until.ts';

/** Any of our kinds. */
export function portcullisObject(kind: string, metadata: Metadata, spec: object): KubernetesObject {
  return { apiVersion: 'portcullis.dev/v1', kind, metadata, spec };
}

/** A ConfigMap as `kubectl create configmap --from-file` makes it of a module. */
export function moduleConfigMap(
  metadata: Metadata,
  modules: Readonly<Record<string, Uint8Array>>,
): KubernetesObject {
  const binaryData = Object.fromEntries(
    Object.entries(modules).map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]),
  );
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, binaryData };
}

/** Installs the definitions of our kinds and waits until the API server serves them. */
export async function installDefinitions(kube: KubeApiserver): Promise<void> {
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: describeDefinitions() });
  const applied = await kube.kubectl(['apply', '--server-side', '-f', '-'], text);
  equal(applied.code, 0, applied.stderr);
  for (const definition of describeDefinitions()) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${String(at(definition, 'metadata', 'name'))}`;
    await waitUntil(async () => isEstablished((await kube.request('GET', path)).body), {
      what: `${path} to be established`,
    });
  }
}

function isEstablished(definition: unknown): boolean {
  const conditions = at(definition, 'status', 'conditions');
  return (
    Array.isArray(conditions) &&
    conditions.some(
      (condition) => at(condition, 'type') === 'Established' && at(condition, 'status') === 'True',
    )
  );
}

/** The condition of an object as `kubectl get -o yaml` shows it. */
export async function conditionOf(
  kube: KubeApiserver,
  object: KubernetesObject,
  type: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { body: json } = await kube.request('GET', `${collectionPath(object)}/${object.metadata.name ?? ''}`);
  const conditions = at(json, 'status', 'conditions');
  if (!Array.isArray(conditions)) return undefined;
  return conditions.find((condition) => at(condition, 'type') === type) as
    Record<string, unknown> | undefined;
}
