import { Fault, isFault } from '../kernel/fault.ts';
import { contentDigest } from './content-digest.ts';
import type { Endpoint } from './endpoint.ts';
import type { Bounds, Exchange } from './http/exchange.ts';
import { statusFault } from './http/status-fault.ts';
import { selectorOf, type OciReference } from './reference.ts';
import { urlAt } from './url-at.ts';

const MAX_ANSWER = 64 * 1024;

/** In one piece: POST opens the upload, PUT ends it. Answers with the digest. */
export async function pushBlob(
  exchange: Exchange,
  endpoint: Endpoint,
  bytes: Uint8Array,
  bounds: Bounds,
): Promise<string | Fault> {
  const digest = contentDigest(bytes);
  const limits = { maxBytes: MAX_ANSWER, action: 'push' } as const;
  const there = await exchange(
    endpoint,
    { method: 'HEAD', url: urlAt(endpoint, `blobs/${digest}`), ...limits },
    bounds,
  );
  if (isFault(there)) return there;
  if (there.status === 200) return digest;
  if (there.status !== 404) return statusFault(there);
  const begun = await exchange(
    endpoint,
    { method: 'POST', url: urlAt(endpoint, 'blobs/uploads/'), body: new Uint8Array(), ...limits },
    bounds,
  );
  if (isFault(begun)) return begun;
  if (begun.status !== 202) return statusFault(begun);
  const url = uploadUrl(begun.headers.location, begun.url);
  if (isFault(url)) return url;
  url.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const ended = await exchange(endpoint, { method: 'PUT', url, headers, body: bytes, ...limits }, bounds);
  if (isFault(ended)) return ended;
  return ended.status === 201 ? digest : statusFault(ended);
}

export async function pushManifest(
  exchange: Exchange,
  endpoint: Endpoint,
  manifest: { readonly reference: OciReference; readonly bytes: Uint8Array; readonly mediaType: string },
  bounds: Bounds,
): Promise<string | Fault> {
  const { reference, bytes, mediaType } = manifest;
  const digest = reference.digest ?? contentDigest(bytes);
  // With both, the tag is what is moved; the digest has been checked.
  const selector = reference.tag ?? selectorOf({ ...reference, digest });
  const answer = await exchange(
    endpoint,
    {
      method: 'PUT',
      url: urlAt(endpoint, `manifests/${selector}`),
      headers: { 'content-type': mediaType },
      body: bytes,
      maxBytes: MAX_ANSWER,
      action: 'push',
    },
    bounds,
  );
  if (isFault(answer)) return answer;
  return answer.status === 201 ? digest : statusFault(answer);
}

/** Where a registry wants an upload; without TLS only when it is itself spoken to so. */
function uploadUrl(location: string | undefined, from: URL): URL | Fault {
  const url = location === undefined ? null : URL.parse(location, from);
  const isAllowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && from.protocol === 'http:');
  return url !== null && isAllowed
    ? url
    : new Fault('PC_OCI_ANSWER', `\`${from.origin}\` says nowhere where to upload`);
}
