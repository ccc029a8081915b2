import { Fault } from '../kernel/fault.ts';
import { isRecord, parseAnnotations, parseDescriptor, type Descriptor } from './descriptor.ts';
import { isIndexType, isManifestType, MANIFEST_TYPES } from './media-types.ts';

/** Of one image or artifact. */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Of several: platforms, or what refers to something. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** More entries are not read. */
const MAX_ENTRIES = 10_000;

/**
 * Reads a manifest or index. `mediaType` is what it was served as, which has to be what it says of itself: the same bytes read
 * in two ways would be two contents under one digest.
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): ImageManifest | ImageIndex | Fault {
  const refuse = (why: string): Fault => new Fault('PC_OCI_ANSWER', `the manifest cannot be used: ${why}`);
  const value = parseJson(bytes);
  if (!isRecord(value) || value['schemaVersion'] !== 2) return refuse('it is not JSON of `schemaVersion` 2');
  const own = value['mediaType'];
  if (own !== undefined && own !== mediaType) {
    return refuse(`it was served as \`${mediaType}\` and calls itself ${JSON.stringify(own)}`);
  }
  if (isIndexType(mediaType)) {
    if ('layers' in value || 'config' in value) return refuse('it is index and manifest at once');
    return parseIndex(value) ?? refuse('its `manifests` are not descriptors');
  }
  if (!isManifestType(mediaType)) return refuse(`its type \`${mediaType}\` is unknown`);
  if ('manifests' in value) return refuse('it is index and manifest at once');
  return parseImage(value) ?? refuse('its `config` or `layers` are not descriptors');
}

/** Reads one that is kept without the type it was served as: what it says of itself, or what it looks like. */
export function parseKeptManifest(bytes: Uint8Array): ImageManifest | ImageIndex | Fault {
  const value = parseJson(bytes);
  const own = isRecord(value) ? value['mediaType'] : undefined;
  if (typeof own === 'string') return parseManifest(bytes, own);
  const isIndex = isRecord(value) && 'manifests' in value;
  return parseManifest(bytes, isIndex ? MANIFEST_TYPES.ociIndex : MANIFEST_TYPES.ociManifest);
}

function parseIndex(value: Record<string, unknown>): ImageIndex | undefined {
  const manifests = parseDescriptors(value['manifests']);
  if (manifests === undefined) return undefined;
  return { kind: 'index', manifests, annotations: parseAnnotations(value['annotations']) };
}

function parseImage(value: Record<string, unknown>): ImageManifest | undefined {
  const config = parseDescriptor(value['config']);
  const layers = parseDescriptors(value['layers']);
  if (config === undefined || layers === undefined) return undefined;
  const subject = parseDescriptor(value['subject']);
  const artifactType = value['artifactType'];
  return {
    kind: 'manifest',
    config,
    layers,
    annotations: parseAnnotations(value['annotations']),
    ...(subject === undefined ? {} : { subject }),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  };
}

function parseDescriptors(value: unknown): readonly Descriptor[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_ENTRIES) return undefined;
  const descriptors = value.map(parseDescriptor).filter((entry) => entry !== undefined);
  return descriptors.length === value.length ? descriptors : undefined;
}

/** Undefined when it is no JSON in UTF-8. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
