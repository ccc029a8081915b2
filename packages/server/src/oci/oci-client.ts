import type { Fault } from '../kernel/fault.ts';
import type { Keychain } from './auth/credential.ts';
import type { Descriptor } from './descriptor.ts';
import type { ImageIndex, ImageManifest } from './manifest.ts';
import type { OciReference } from './reference.ts';

/** How a question is asked. */
export interface AskOptions {
  /** Gives up with PC_OCI_ABORTED, or with PC_OCI_TIMEOUT when it is of `AbortSignal.timeout`. */
  readonly signal?: AbortSignal;
  /** Milliseconds for each endpoint that is asked; default: the client's. */
  readonly timeout?: number;
  /** Credentials of who is asked for, in place of the client's own; default: the client's. */
  readonly keychain?: Keychain;
}

export interface FetchedManifest {
  /** As they were served; `digest` is theirs. */
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: string;
  readonly content: ImageManifest | ImageIndex;
}

export interface FetchedConfiguration {
  readonly manifest: FetchedManifest & { readonly content: ImageManifest };
  /** Raw bytes of the configuration; JSON for images. */
  readonly bytes: Uint8Array;
}

/**
 * A client of OCI registries (https://github.com/opencontainers/distribution-spec). Total: every answer is a value or a fault
 * (PC_OCI_…), nothing rejects. Content is held to its digest whichever way it came; mirrors are asked before the registry.
 */
export interface OciClient {
  /** Which content a reference means now: the digest in it, without a request, else what the registry says of the tag. */
  digest(reference: OciReference, options?: AskOptions): Promise<string | Fault>;
  /** At most 4 MiB. */
  manifest(reference: OciReference, options?: AskOptions): Promise<FetchedManifest | Fault>;
  /** Content of the repository; PC_OCI_SIZE when it is larger than `maxBytes` or not as long as the descriptor says. */
  blob(
    reference: OciReference,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    maxBytes: number,
    options?: AskOptions,
  ): Promise<Uint8Array | Fault>;
  /** Manifest and configuration (at most 4 MiB) of an image; PC_OCI_ARTIFACT for an index, which has several. */
  configuration(reference: OciReference, options?: AskOptions): Promise<FetchedConfiguration | Fault>;
  /** What refers to the content of that digest: signatures, attestations. By the API, or by the tag that stands in for it. */
  referrers(
    reference: OciReference & { readonly digest: string },
    filter?: { readonly artifactType?: string },
    options?: AskOptions,
  ): Promise<readonly Descriptor[] | Fault>;
  /** Never to a mirror. Does nothing when the registry has it. */
  pushBlob(reference: OciReference, bytes: Uint8Array, options?: AskOptions): Promise<string | Fault>;
  /** Under the tag of the reference when it has one, else under its digest. Its blobs have to be there. */
  pushManifest(
    reference: OciReference,
    manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
    options?: AskOptions,
  ): Promise<string | Fault>;
  /** Closes idle connections. */
  close(): void;
}
