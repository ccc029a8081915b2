import { Fault, isFault } from '../kernel/fault.ts';
import type { Descriptor } from './descriptor.ts';
import type { Endpoint } from './endpoint.ts';
import { fetchManifest, MAX_MANIFEST } from './fetch-manifest.ts';
import type { Bounds, Exchange } from './http/exchange.ts';
import { statusFault } from './http/status-fault.ts';
import type { Incoming } from './http/transport.ts';
import { parseManifest } from './manifest.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import { urlAt } from './url-at.ts';

export interface ReferrersQuery {
  readonly digest: string;
  readonly artifactType: string | undefined;
}

const MAX_PAGES = 10;

export async function fetchReferrers(
  exchange: Exchange,
  endpoint: Endpoint,
  { digest, artifactType }: ReferrersQuery,
  bounds: Bounds,
): Promise<readonly Descriptor[] | Fault> {
  const first = urlAt(endpoint, `referrers/${digest}`);
  if (artifactType !== undefined) first.searchParams.set('artifactType', artifactType);
  const found: Descriptor[] = [];
  let next: URL | undefined = first;
  for (let page = 0; next !== undefined; page += 1) {
    if (page === MAX_PAGES) {
      return new Fault('PC_OCI_ANSWER', `\`${digest}\` has more than ${MAX_PAGES} pages of referrers`);
    }
    const answer: Incoming | Fault = await exchange(endpoint, listRequest(next), bounds);
    if (isFault(answer)) return answer;
    if (answer.status === 404 && page === 0)
      return byTag(exchange, endpoint, { digest, artifactType }, bounds);
    if (answer.status !== 200) return statusFault(answer);
    const index = parseManifest(answer.body, MANIFEST_TYPES.ociIndex);
    if (isFault(index)) return index;
    if (index.kind === 'index') found.push(...index.manifests);
    next = nextPage(answer, next);
  }
  // The registry need not have applied the filter.
  return filtered(found, artifactType);
}

function listRequest(url: URL) {
  const headers = { accept: MANIFEST_TYPES.ociIndex };
  return { method: 'GET', url, headers, maxBytes: MAX_MANIFEST, action: 'pull' } as const;
}

/** Registries without the API: clients keep an index under a tag (distribution-spec, "Referrers Tag Schema"). */
async function byTag(
  exchange: Exchange,
  endpoint: Endpoint,
  { digest, artifactType }: ReferrersQuery,
  bounds: Bounds,
): Promise<readonly Descriptor[] | Fault> {
  const tag = digest.replace(':', '-');
  const reference = { registry: endpoint.registry, repository: endpoint.repository, tag };
  const fetched = await fetchManifest(exchange, endpoint, reference, bounds);
  if (isFault(fetched)) return fetched.code === 'PC_OCI_NOT_FOUND' ? [] : fetched;
  const { content } = fetched;
  return content.kind === 'index' ? filtered(content.manifests, artifactType) : [];
}

function filtered(found: readonly Descriptor[], artifactType: string | undefined): readonly Descriptor[] {
  return artifactType === undefined ? found : found.filter((entry) => entry.artifactType === artifactType);
}

function nextPage({ headers }: Incoming, current: URL): URL | undefined {
  const link = [headers['link'] ?? []].flat().join(', ');
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link)?.[1];
  const url = target === undefined ? null : URL.parse(target, current);
  return url?.origin === current.origin ? url : undefined;
}
