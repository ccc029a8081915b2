import { Fault, isFault } from '../../kernel/fault.ts';
import { parseKeptManifest } from '../../oci/manifest.ts';
import type { AskOptions, OciClient } from '../../oci/oci-client.ts';
import { MAX_MANIFEST } from '../../oci/fetch-manifest.ts';
import type { LocatedModule, ManifestReader } from '../../oci/policy-artifact.ts';
import type { OciReference } from '../../oci/reference.ts';
import type { ModuleCache } from '../module-cache.ts';

/** Where manifests and modules are had from. */
export interface ModuleContent extends ManifestReader {
  bytes(reference: OciReference, layer: LocatedModule['layer']): Promise<Uint8Array | Fault>;
}

/** What the cache has; a tag is in no cache. */
export function keptContent(cache: ModuleCache, maxModuleBytes: number): ModuleContent {
  const absent = (what: string): Fault => new Fault('PC_OCI_NOT_FOUND', `\`${what}\` is not in the cache`);
  return {
    async manifest({ tag = '', digest }) {
      if (digest === undefined) return absent(tag);
      const bytes = await cache.read(digest, MAX_MANIFEST);
      if (bytes === undefined) return absent(digest);
      const content = parseKeptManifest(bytes);
      return isFault(content) ? content : { content, digest };
    },
    async bytes(_reference, { digest, size }) {
      // One that is not of the size which its manifest says is the registry's to answer for.
      const bytes = size > maxModuleBytes ? undefined : await cache.read(digest, size);
      return bytes?.length === size ? bytes : absent(digest);
    },
  };
}

/** The cache, then the registry; what came from there is kept. */
export function cachedContent(client: OciClient, cache: ModuleCache, maxModuleBytes: number): ModuleContent {
  const kept = keptContent(cache, maxModuleBytes);
  return {
    async manifest(reference, ask?: AskOptions) {
      const known = reference.digest === undefined ? undefined : await kept.manifest(reference);
      if (known !== undefined && !isFault(known)) return known;
      const fetched = await client.manifest(reference, ask);
      if (!isFault(fetched)) await cache.write(fetched.digest, fetched.bytes);
      return fetched;
    },
    async bytes(reference, layer) {
      const known = await kept.bytes(reference, layer);
      if (!isFault(known)) return known;
      const bytes = await client.blob(reference, layer, maxModuleBytes);
      if (!isFault(bytes)) await cache.write(layer.digest, bytes);
      return bytes;
    },
  };
}
