import { Fault, isFault } from '../kernel/fault.ts';
import { contentDigest } from './content-digest.ts';
import type { Descriptor } from './descriptor.ts';
import type { ImageIndex, ImageManifest } from './manifest.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import type { AskOptions, FetchedManifest, OciClient } from './oci-client.ts';
import { pinned, type OciReference } from './reference.ts';

/** Where a module lies in a registry. */
export interface LocatedModule {
  /** Of the manifest that holds it. */
  readonly digest: string;
  readonly layer: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What is pushed: blobs first. */
export interface PolicyArtifact {
  readonly blobs: readonly Uint8Array[];
  readonly manifest: { readonly bytes: Uint8Array; readonly mediaType: string };
  readonly digest: string;
}

/** What Kubewarden and we push. */
const LAYER_TYPE = 'application/vnd.wasm.content.layer.v1+wasm';
const CONFIG_TYPE = 'application/vnd.wasm.config.v1+json';
/** The first is ours, the next the one of the CNCF's Wasm working group, the last that of Envoy's tools. */
const LAYER_TYPES: readonly string[] = [
  LAYER_TYPE,
  'application/wasm',
  'application/vnd.module.wasm.content.layer.v1+wasm',
];
const MAX_DEPTH = 2;

/** Where manifests are had from. */
export interface ManifestReader {
  manifest(
    reference: OciReference,
    options?: AskOptions,
  ): Promise<Pick<FetchedManifest, 'content' | 'digest'> | Fault>;
}

/** Finds the module of an artifact without fetching it. */
export async function locateModule(
  client: ManifestReader,
  reference: OciReference,
  options?: AskOptions,
): Promise<LocatedModule | Fault> {
  let wanted = reference;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const fetched = await client.manifest(wanted, options);
    if (isFault(fetched)) return fetched;
    const { content, digest } = fetched;
    if (content.kind === 'manifest') {
      const layer = moduleLayer(content);
      return isFault(layer) ? layer : { digest, layer, annotations: content.annotations };
    }
    const entry = moduleEntry(content);
    if (isFault(entry)) return entry;
    wanted = pinned(reference, entry.digest);
  }
  return new Fault('PC_OCI_ARTIFACT', 'the artifact is an index of indexes');
}

/** The one layer that is a module. */
export function moduleLayer({ layers }: ImageManifest): Descriptor | Fault {
  const modules = layers.filter(({ mediaType }) => LAYER_TYPES.includes(mediaType));
  const [module] = modules;
  if (module !== undefined && modules.length === 1) return module;
  const found = layers.map(({ mediaType }) => `\`${mediaType}\``).slice(0, 5);
  return new Fault(
    'PC_OCI_ARTIFACT',
    `the artifact has ${modules.length === 0 ? 'no' : 'more than one'} layer that is a Wasm module; it has ${found.join(', ') || 'no layers'}`,
  );
}

/** The only entry, or the only one for Wasm. */
export function moduleEntry({ manifests }: ImageIndex): Descriptor | Fault {
  const forWasm = manifests.filter(({ platform }) => platform?.['architecture'] === 'wasm');
  const [entry, ...more] = manifests.length === 1 ? manifests : forWasm;
  if (entry !== undefined && more.length === 0) return entry;
  return new Fault(
    'PC_OCI_ARTIFACT',
    `the artifact is an index of ${manifests.length} manifests, ${forWasm.length} of them for the architecture \`wasm\`; name one by its digest`,
  );
}

/** The same module and annotations make the same digest. */
export function buildPolicyArtifact(
  module: Uint8Array,
  annotations: Readonly<Record<string, string>>,
): PolicyArtifact {
  const config = Buffer.from('{}');
  const sorted = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1));
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPES.ociManifest,
    config: { mediaType: CONFIG_TYPE, digest: contentDigest(config), size: config.length },
    layers: [{ mediaType: LAYER_TYPE, digest: contentDigest(module), size: module.length }],
    ...(sorted.length === 0 ? {} : { annotations: Object.fromEntries(sorted) }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return {
    blobs: [config, module],
    manifest: { bytes, mediaType: manifest.mediaType },
    digest: contentDigest(bytes),
  };
}

/** Answers with the digest of the manifest. */
export async function pushArtifact(
  client: OciClient,
  reference: OciReference,
  { blobs, manifest }: Pick<PolicyArtifact, 'blobs' | 'manifest'>,
  options?: AskOptions,
): Promise<string | Fault> {
  for (const blob of blobs) {
    const pushed = await client.pushBlob(reference, blob, options);
    if (isFault(pushed)) return pushed;
  }
  return client.pushManifest(reference, manifest, options);
}
