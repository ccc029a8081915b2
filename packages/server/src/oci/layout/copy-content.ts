import { Fault, isFault } from '../../kernel/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { parseManifest, type ImageIndex, type ImageManifest } from '../manifest.ts';
import type { OciClient } from '../oci-client.ts';
import { pinned, type OciReference } from '../reference.ts';
import type { LayoutWriter } from './layout-writer.ts';
import type { Layout } from './read-layout.ts';

/** Of an index: the manifests in it, and no deeper. */
const MAX_DEPTH = 2;

/** Puts what a reference means now, as a whole, into an archive under its name. Answers with its digest. */
export async function saveContent(
  client: OciClient,
  target: { readonly writer: LayoutWriter; readonly name: string },
  reference: OciReference,
  maxBytes: number,
): Promise<string | Fault> {
  const { writer, name } = target;

  async function save(wanted: OciReference, depth: number): Promise<Omit<Descriptor, 'annotations'> | Fault> {
    const fetched = await client.manifest(wanted);
    if (isFault(fetched)) return fetched;
    const { bytes, mediaType, digest, content } = fetched;
    if (!digest.startsWith('sha256:')) return new Fault('PC_OCI_ARTIFACT', `\`${digest}\` is not of SHA-256`);
    for (const child of childrenOf(content)) {
      const saved = await (content.kind === 'index' ? saveBelow(child, depth) : saveBlob(child));
      if (isFault(saved)) return saved;
    }
    await writer.add(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async function saveBelow(child: Descriptor, depth: number): Promise<unknown> {
    if (depth === MAX_DEPTH) return new Fault('PC_OCI_ARTIFACT', 'the artifact is an index of indexes');
    return save(pinned(reference, child.digest), depth + 1);
  }

  async function saveBlob(child: Descriptor): Promise<unknown> {
    if (writer.has(child.digest)) return undefined;
    const bytes = await client.blob(reference, child, maxBytes);
    return isFault(bytes) ? bytes : writer.add(child.digest, bytes);
  }

  const saved = await save(reference, 1);
  if (isFault(saved)) return saved;
  writer.name(name, saved);
  return saved.digest;
}

/** Pushes an entry of an archive as a whole; what it consists of goes first. Answers with its digest. */
export async function loadContent(
  client: OciClient,
  layout: Layout,
  entry: { readonly descriptor: Descriptor; readonly reference: OciReference },
  maxBytes: number,
): Promise<string | Fault> {
  const { reference } = entry;

  async function load(descriptor: Descriptor, to: OciReference, depth: number): Promise<string | Fault> {
    const bytes = await layout.blob(descriptor, maxBytes);
    if (isFault(bytes)) return bytes;
    const { mediaType } = descriptor;
    const content = parseManifest(bytes, mediaType);
    if (isFault(content)) return content;
    for (const child of childrenOf(content)) {
      const loaded = await (content.kind === 'index' ? loadBelow(child, depth) : loadBlob(child));
      if (isFault(loaded)) return loaded;
    }
    return client.pushManifest(to, { bytes, mediaType });
  }

  async function loadBelow(child: Descriptor, depth: number): Promise<string | Fault> {
    if (depth === MAX_DEPTH) return new Fault('PC_OCI_ARTIFACT', 'the artifact is an index of indexes');
    return load(child, pinned(reference, child.digest), depth + 1);
  }

  async function loadBlob(child: Descriptor): Promise<string | Fault> {
    const bytes = await layout.blob(child, maxBytes);
    return isFault(bytes) ? bytes : client.pushBlob(reference, bytes);
  }

  return load(entry.descriptor, reference, 1);
}

function childrenOf(content: ImageManifest | ImageIndex): readonly Descriptor[] {
  return content.kind === 'index' ? content.manifests : [content.config, ...content.layers];
}
