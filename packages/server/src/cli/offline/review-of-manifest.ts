import { randomUUID } from 'node:crypto';
import type { JsonObject, JsonValue, Operation } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';

/** What a manifest does not say about the request that would carry it. */
export interface RequestDetails {
  readonly operation?: Operation;
  readonly namespace?: string;
  readonly name?: string;
  readonly oldObject?: JsonValue;
  readonly userInfo?: JsonValue;
  readonly dryRun?: boolean;
  /** Plural; guessed from the kind when absent. */
  readonly resource?: string;
  readonly subresource?: string;
}

/** Plurals that no rule of English gives. */
const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['endpoints', 'endpoints'],
  ['podmetrics', 'pods'],
  ['nodemetrics', 'nodes'],
]);

const CLUSTER_SCOPED = new Set([
  'APIService',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'CSIDriver',
  'CSINode',
  'CustomResourceDefinition',
  'FlowSchema',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
]);

/** The AdmissionReview that an API server would send for an object, as bytes. */
export function reviewOfManifest(manifest: JsonValue, details: RequestDetails = {}): Uint8Array | Fault {
  if (!isObject(manifest)) return new Fault('PC_INPUT', 'the manifest is not an object');
  const { apiVersion, kind } = manifest;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return new Fault('PC_INPUT', 'the manifest has no `apiVersion` and `kind`');
  }
  const metadata = isObject(manifest['metadata']) ? manifest['metadata'] : {};
  const name = details.name ?? text(metadata['name']);
  const namespace = details.namespace ?? text(metadata['namespace']);
  const [group, version] = splitVersion(apiVersion);
  const groupVersionKind = { group, version, kind };
  const resource = { group, version, resource: details.resource ?? pluralOf(kind) };
  const request = {
    uid: randomUUID(),
    kind: groupVersionKind,
    resource,
    requestKind: groupVersionKind,
    requestResource: resource,
    ...(details.subresource === undefined ? {} : { subResource: details.subresource }),
    name,
    ...namespaceOf(kind, name, namespace),
    ...objectsOf(manifest, details),
    userInfo: details.userInfo ?? ANYBODY,
    dryRun: details.dryRun ?? false,
  };
  return Buffer.from(stringifyExact({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }));
}

const ANYBODY = { username: 'portcullis-offline', groups: ['system:authenticated'] };

/** A DELETE is about the object that is there. */
function objectsOf(manifest: JsonObject, { operation = 'CREATE', oldObject }: RequestDetails): JsonObject {
  return operation === 'DELETE'
    ? { operation, object: null, oldObject: oldObject ?? manifest }
    : { operation, object: manifest, oldObject: oldObject ?? null };
}

function namespaceOf(kind: string, name: string, namespace: string): { readonly namespace?: string } {
  if (kind === 'Namespace') return { namespace: name };
  return CLUSTER_SCOPED.has(kind) ? {} : { namespace: namespace === '' ? 'default' : namespace };
}

function splitVersion(apiVersion: string): readonly [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  if (/(?:s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
