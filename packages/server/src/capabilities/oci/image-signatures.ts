import { Fault, isFault } from '../../kernel/fault.ts';
import type { AskOptions, FetchedManifest, OciClient } from '../../oci/oci-client.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { OciReference } from '../../oci/reference.ts';

/** One signature of an image, as it is stored; nothing of it is checked yet. */
export interface ImageSignature {
  /** What was signed. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const SIGNATURE_ARTIFACT = 'application/vnd.dev.cosign.artifact.sig.v1+json';
/** A payload is some hundred bytes. */
const MAX_PAYLOAD = 128 * 1024;
const MAX_SIGNATURES = 64;

/** Signatures as cosign stores them beside an image: under the tag of its digest, or as what refers to it. Empty: none. */
export async function fetchSignatures(
  client: OciClient,
  image: OciReference & { readonly digest: string },
  options: AskOptions,
): Promise<readonly ImageSignature[] | Fault> {
  const { registry, repository, digest } = image;
  const tag = `${digest.replace(':', '-')}.sig`;
  const tagged = await client.manifest({ registry, repository, tag }, options);
  const layers: Descriptor[] = [];
  if (!isFault(tagged)) layers.push(...signaturesIn(tagged));
  else if (tagged.code !== 'PC_OCI_NOT_FOUND') return tagged;
  const referring = await client.referrers(image, { artifactType: SIGNATURE_ARTIFACT }, options);
  if (isFault(referring)) return referring;
  for (const { digest: of } of referring.slice(0, MAX_SIGNATURES)) {
    const manifest = await client.manifest({ registry, repository, digest: of }, options);
    if (isFault(manifest)) return manifest;
    layers.push(...signaturesIn(manifest));
  }
  if (layers.length > MAX_SIGNATURES) {
    return new Fault('PC_CAPABILITY_SIZE', `the image has more than ${MAX_SIGNATURES} signatures`);
  }
  const found: ImageSignature[] = [];
  for (const layer of layers) {
    const payload = await client.blob(image, layer, MAX_PAYLOAD, options);
    if (isFault(payload)) return payload;
    found.push({ payload, signature: Buffer.from(layer.annotations[SIGNATURE] ?? '', 'base64') });
  }
  return found;
}

function signaturesIn({ content }: FetchedManifest): readonly Descriptor[] {
  if (content.kind !== 'manifest') return [];
  return content.layers.filter(
    ({ mediaType, annotations }) => mediaType === SIMPLE_SIGNING && annotations[SIGNATURE] !== undefined,
  );
}
