import { Fault, isFault } from '../kernel/fault.ts';
import { contentDigest, hasDigest, isContentDigest } from './content-digest.ts';
import type { Endpoint } from './endpoint.ts';
import type { Bounds, Exchange } from './http/exchange.ts';
import { statusFault } from './http/status-fault.ts';
import { shown, type Incoming } from './http/transport.ts';
import { parseManifest } from './manifest.ts';
import { ACCEPTED_MANIFESTS, isIndexType, isManifestType } from './media-types.ts';
import type { FetchedManifest } from './oci-client.ts';
import { selectorOf, type OciReference } from './reference.ts';
import { urlAt } from './url-at.ts';

export const MAX_MANIFEST: number = 4 * 1024 ** 2;

/** The digest that a tag has, as the registry claims; computed from the manifest where it claims none. */
export async function askDigest(
  exchange: Exchange,
  endpoint: Endpoint,
  reference: OciReference,
  bounds: Bounds,
): Promise<string | Fault> {
  const answer = await exchange(endpoint, manifestRequest('HEAD', endpoint, reference), bounds);
  if (isFault(answer)) return answer;
  const claimed = answer.headers['docker-content-digest'];
  if (answer.status === 200 && isDigest(claimed) && isKnownType(mediaTypeOf(answer))) return claimed;
  if (answer.status !== 200 && answer.status !== 405) return statusFault(answer);
  const fetched = await fetchManifest(exchange, endpoint, reference, bounds);
  return isFault(fetched) ? fetched : fetched.digest;
}

export async function fetchManifest(
  exchange: Exchange,
  endpoint: Endpoint,
  reference: OciReference,
  bounds: Bounds,
): Promise<FetchedManifest | Fault> {
  const answer = await exchange(endpoint, manifestRequest('GET', endpoint, reference), bounds);
  if (isFault(answer)) return answer;
  if (answer.status !== 200) return statusFault(answer);
  const digest = checkedDigest(answer, reference.digest);
  if (isFault(digest)) return digest;
  const mediaType = mediaTypeOf(answer);
  const content = parseManifest(answer.body, mediaType);
  return isFault(content) ? content : { bytes: answer.body, mediaType, digest, content };
}

function manifestRequest(method: 'GET' | 'HEAD', endpoint: Endpoint, reference: OciReference) {
  return {
    method,
    url: urlAt(endpoint, `manifests/${selectorOf(reference)}`),
    headers: { accept: ACCEPTED_MANIFESTS },
    maxBytes: MAX_MANIFEST,
    action: 'pull',
  } as const;
}

/** The bytes decide, not what the registry says of them; but a registry that contradicts itself is not believed. */
function checkedDigest({ body, headers, url }: Incoming, wanted: string | undefined): string | Fault {
  const claimed = headers['docker-content-digest'];
  for (const digest of [wanted, isDigest(claimed) ? claimed : undefined]) {
    if (digest !== undefined && !hasDigest(body, digest)) {
      const actual = contentDigest(body);
      return new Fault('PC_OCI_DIGEST', `\`${shown(url)}\` should have \`${digest}\` and has \`${actual}\``, {
        data: { expected: digest, actual },
      });
    }
  }
  return wanted ?? (isDigest(claimed) ? claimed : contentDigest(body));
}

function isDigest(value: string | string[] | undefined): value is string {
  return typeof value === 'string' && isContentDigest(value);
}

function isKnownType(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

function mediaTypeOf({ headers }: Incoming): string {
  return (headers['content-type'] ?? '').replace(/;.*$/s, '').trim().toLowerCase();
}
