import { Fault, isFault } from '../kernel/fault.ts';
import { contentDigest, hasDigest } from './content-digest.ts';
import type { Descriptor } from './descriptor.ts';
import type { Endpoint } from './endpoint.ts';
import type { Bounds, Exchange } from './http/exchange.ts';
import { statusFault } from './http/status-fault.ts';
import { urlAt } from './url-at.ts';

/** Content of exactly the size and digest of its descriptor. */
export async function fetchBlob(
  exchange: Exchange,
  endpoint: Endpoint,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  bounds: Bounds,
): Promise<Uint8Array | Fault> {
  const url = urlAt(endpoint, `blobs/${digest}`);
  const answer = await exchange(endpoint, { method: 'GET', url, maxBytes: size, action: 'pull' }, bounds);
  if (isFault(answer)) return answer;
  if (answer.status !== 200) return statusFault(answer);
  const { body } = answer;
  if (body.length !== size) {
    return new Fault(
      'PC_OCI_SIZE',
      `\`${digest}\` came with ${body.length} bytes; its manifest says ${size}`,
    );
  }
  if (hasDigest(body, digest)) return body;
  const actual = contentDigest(body);
  return new Fault('PC_OCI_DIGEST', `\`${endpoint.origin}\` sent \`${actual}\` for \`${digest}\``, {
    data: { expected: digest, actual },
  });
}
