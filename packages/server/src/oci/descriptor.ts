import { isContentDigest } from './content-digest.ts';

/** Points at content: https://github.com/opencontainers/image-spec, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** As written; of the entries of indexes. */
  readonly platform?: Readonly<Record<string, unknown>>;
}

/** Undefined when it is none that can be used. */
export function parseDescriptor(value: unknown): Descriptor | undefined {
  if (!isRecord(value)) return undefined;
  const { mediaType, digest, size, artifactType, platform } = value;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isContentDigest(digest)) {
    return undefined;
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  return {
    mediaType,
    digest,
    size,
    annotations: parseAnnotations(value['annotations']),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(isRecord(platform) ? { platform } : {}),
  };
}

/** What is no text is left out: annotations never decide what content is. */
export function parseAnnotations(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  const texts = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
