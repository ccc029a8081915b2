import { Fault } from '../../kernel/fault.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { KubeResource } from '../../kube/resource.ts';

/** ConfigMaps and Secrets: objects of the API server that hold values by key. */
export interface DataKind {
  readonly resource: KubeResource;
  /** Key of `spec.module` that refers to it. */
  readonly place: 'configMap' | 'secret';
}

export const CONFIG_MAPS: DataKind = {
  place: 'configMap',
  resource: { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true },
};

export const SECRETS: DataKind = {
  place: 'secret',
  resource: { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true },
};

/** One ConfigMap or Secret, its values decoded. */
export interface DataObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** The same text as long as nothing about the object changed. */
  readonly version: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly values: ReadonlyMap<string, Buffer>;
}

export function toDataObject(object: KubeObject): DataObject {
  const { name, namespace = '', uid = '', resourceVersion = '', annotations = {} } = object.metadata;
  const isSecret = object.kind === SECRETS.resource.kind;
  const values = new Map<string, Buffer>();
  for (const [key, text] of textsOf(object['data']))
    values.set(key, Buffer.from(text, isSecret ? 'base64' : 'utf8'));
  for (const [key, text] of textsOf(object['binaryData'])) values.set(key, Buffer.from(text, 'base64'));
  return { kind: object.kind, name, namespace, version: `${uid} ${resourceVersion}`, annotations, values };
}

function textsOf(data: unknown): readonly (readonly [string, string])[] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** For people: `ConfigMap/policy/registry-check`. */
export function locationOf({
  kind,
  namespace,
  name,
}: Pick<DataObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}/${namespace}/${name}`;
}

/** The module under a key; PC_MODULE_MISSING, with the keys that there are, when there is none. */
export function moduleIn(object: DataObject, key: string): Buffer | Fault {
  const value = object.values.get(key);
  if (value !== undefined) return moduleBytes(value);
  const keys = [...object.values.keys()].sort().map((known) => `\`${known}\``);
  const known = keys.length === 0 ? 'it is empty' : `it has ${keys.slice(0, 10).join(', ')}`;
  return new Fault('PC_MODULE_MISSING', `${locationOf(object)} has no key \`${key}\`: ${known}`);
}

const MAGIC = Buffer.from([0, 0x61, 0x73, 0x6d]);
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/** A module as bytes, or as base64 text, which some tools put under `data`. */
function moduleBytes(value: Buffer): Buffer {
  if (value.subarray(0, MAGIC.length).equals(MAGIC)) return value;
  const text = value.toString('latin1');
  return BASE64.test(text) ? Buffer.from(text, 'base64') : value;
}
