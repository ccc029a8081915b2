export const MANIFEST_TYPES = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

/** Asked for together: without the types of indexes a registry answers with the manifest of one platform, of another digest. */
export const ACCEPTED_MANIFESTS: string = Object.values(MANIFEST_TYPES).join(', ');

export function isIndexType(mediaType: string): boolean {
  return mediaType === MANIFEST_TYPES.ociIndex || mediaType === MANIFEST_TYPES.dockerList;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === MANIFEST_TYPES.ociManifest || mediaType === MANIFEST_TYPES.dockerManifest;
}
