import { Fault, isFault } from '../../kernel/fault.ts';
import { shown, type Incoming, type Outgoing, type Transport } from './transport.ts';

const MAX_REDIRECTS = 5;
const REDIRECTIONS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends and follows redirects, which registries use for blobs. Another origin gets no credentials and no trust, and a registry
 * that is spoken to in TLS cannot lead to plain HTTP.
 */
export async function followRedirects(transport: Transport, first: Outgoing): Promise<Incoming | Fault> {
  let outgoing = first;
  for (let count = 0; count <= MAX_REDIRECTS; count += 1) {
    const answer = await transport.send(outgoing);
    if (isFault(answer) || !REDIRECTIONS.has(answer.status)) return answer;
    if (outgoing.method !== 'GET' && outgoing.method !== 'HEAD') return answer;
    const next = URL.parse(answer.headers.location ?? '', outgoing.url);
    const problem = next === null ? 'nowhere' : forbiddenStep(outgoing.url, next);
    if (next === null || problem !== undefined) {
      return new Fault('PC_OCI_ANSWER', `\`${shown(outgoing.url)}\` redirects to ${problem ?? 'nowhere'}`);
    }
    outgoing = next.origin === outgoing.url.origin ? { ...outgoing, url: next } : atStranger(outgoing, next);
  }
  return new Fault('PC_OCI_ANSWER', `\`${shown(first.url)}\` redirects more than ${MAX_REDIRECTS} times`);
}

function forbiddenStep(from: URL, to: URL): string | undefined {
  if (to.username !== '' || to.password !== '') return 'an address with a password in it';
  if (to.protocol === 'https:') return undefined;
  return to.protocol === 'http:' && from.protocol === 'http:' ? undefined : `\`${to.protocol}\``;
}

function atStranger(outgoing: Outgoing, url: URL): Outgoing {
  const { authorization: _kept, ...headers } = outgoing.headers;
  return { ...outgoing, url, headers, trusted: outgoing.trusted && url.hostname === outgoing.url.hostname };
}
