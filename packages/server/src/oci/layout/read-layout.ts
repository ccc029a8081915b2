import { Fault, isFault } from '../../kernel/fault.ts';
import { hasDigest } from '../content-digest.ts';
import type { Descriptor } from '../descriptor.ts';
import { parseManifest } from '../manifest.ts';
import { MANIFEST_TYPES } from '../media-types.ts';
import { blobPath, NAME_ANNOTATIONS } from './layout-writer.ts';
import { readTarIndex, type ReadAt } from './tar.ts';

/** An OCI image layout in a tar archive, of ours or of other tools. */
export interface Layout {
  /** What is in it by name; the annotations of its index name it. */
  readonly entries: readonly { readonly name: string | undefined; readonly descriptor: Descriptor }[];
  /** Content of the digest and size that the descriptor says. */
  blob(descriptor: Pick<Descriptor, 'digest' | 'size'>, maxBytes: number): Promise<Uint8Array | Fault>;
}

const MAX_INDEX = 16 * 1024 ** 2;

export async function readLayout(readAt: ReadAt): Promise<Layout | Fault> {
  const files = await readTarIndex(readAt);
  if (isFault(files)) return files;
  const file = files.get('index.json');
  if (file === undefined || file.size > MAX_INDEX) {
    return new Fault('PC_INPUT', 'the archive has no `index.json` of an OCI image layout');
  }
  const index = parseManifest(await readAt(file.offset, file.size), MANIFEST_TYPES.ociIndex);
  if (isFault(index)) return index;
  const entries = index.kind === 'index' ? index.manifests : [];
  return {
    entries: entries.map((descriptor) => ({ name: nameOf(descriptor), descriptor })),
    async blob({ digest, size }, maxBytes) {
      const blob = files.get(blobPath(digest));
      if (blob === undefined) return new Fault('PC_OCI_NOT_FOUND', `the archive does not have \`${digest}\``);
      if (blob.size !== size || size > maxBytes) {
        return new Fault(
          'PC_OCI_SIZE',
          `\`${digest}\` has ${blob.size} bytes in the archive; ${size} are right and ${maxBytes} allowed`,
        );
      }
      const bytes = await readAt(blob.offset, blob.size);
      if (hasDigest(bytes, digest)) return bytes;
      return new Fault('PC_OCI_DIGEST', `the archive has other bytes for \`${digest}\``);
    },
  };
}

/** The longest one: some tools write the tag alone into one of them. */
function nameOf({ annotations }: Descriptor): string | undefined {
  const names = NAME_ANNOTATIONS.map((key) => annotations[key]).filter((name) => name !== undefined);
  return names.sort((a, b) => b.length - a.length)[0];
}
