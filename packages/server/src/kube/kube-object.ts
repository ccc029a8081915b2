/** The part of every object's metadata that the client itself reads; the rest is there too. */
export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Opaque: compared for equality only. */
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Any object of the API, as parsed JSON: integers above 2^53 are rounded, so a changed copy is never sent back whole. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

/** `namespace/name`, or `name` of what has no namespace. */
export function objectKey(metadata: Pick<KubeMetadata, 'name' | 'namespace'>): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined when it is no object of the API. Items of a list of a built-in kind come without kind: it is added. */
export function asKubeObject(
  value: unknown,
  of: { readonly apiVersion: string; readonly kind: string },
): KubeObject | undefined {
  if (!isRecord(value)) return undefined;
  const { metadata } = value;
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string') return undefined;
  if (typeof value['kind'] === 'string' && typeof value['apiVersion'] === 'string')
    return value as unknown as KubeObject;
  return {
    ...value,
    apiVersion: of.apiVersion,
    kind: of.kind,
    metadata: metadata as unknown as KubeMetadata,
  };
}
