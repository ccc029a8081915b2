import { MANIFEST_TYPES } from '../media-types.ts';
import { TAR_END, tarFile } from './tar.ts';

/** Content of a registry in one file: an OCI image layout (image-spec, image-layout.md) in a tar archive. */
export interface LayoutWriter {
  /** Whether a blob or manifest is in it already. */
  has(digest: string): boolean;
  /** Content that is named by its digest. */
  add(digest: string, bytes: Uint8Array): Promise<void>;
  /** Under which name a manifest or index is found. */
  name(name: string, entry: NamedEntry): void;
  /** Nothing can be added after it. */
  end(): Promise<void>;
}

export interface NamedEntry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What the image-spec says, and what containerd wants in full. */
export const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'] as const;

export function createLayoutWriter(write: (bytes: Uint8Array) => Promise<void>): LayoutWriter {
  const added = new Set<string>();
  const manifests: unknown[] = [];
  return {
    has: (digest) => added.has(digest),
    async add(digest, bytes) {
      if (added.has(digest)) return;
      added.add(digest);
      await write(tarFile(blobPath(digest), bytes));
    },
    name(name, { mediaType, digest, size }) {
      const annotations = Object.fromEntries(NAME_ANNOTATIONS.map((key) => [key, name]));
      manifests.push({ mediaType, digest, size, annotations });
    },
    async end() {
      const index = { schemaVersion: 2, mediaType: MANIFEST_TYPES.ociIndex, manifests };
      await write(tarFile('index.json', Buffer.from(JSON.stringify(index))));
      await write(tarFile('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')));
      await write(TAR_END);
    },
  };
}

export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
