import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { sha256 } from '../../kernel/digest.ts';
import { Fault, isFault } from '../../kernel/fault.ts';
import { createIdentify } from '../../kernel/identify.ts';
import { ForbiddenAddressError, guardedLookup } from '../../kernel/net/guarded-lookup.ts';
import { isPrivateAddress } from '../../kernel/net/private-address.ts';
import { noModuleCache, type ModuleCache } from '../module-cache.ts';
import type { ModuleSource } from '../source.ts';

export interface UrlSourceOptions {
  readonly maxModuleBytes: number;
  /** Milliseconds for the whole download. */
  readonly timeout: number;
  /** Allow loopback and private addresses: for registries inside the network. */
  readonly allowPrivate: boolean;
  /** Allow modules whose policy demands no digest. */
  readonly allowWithoutDigest: boolean;
  /** PEM of further certificate authorities. */
  readonly ca?: string;
  /** What was downloaded before; nothing when absent. */
  readonly cache?: ModuleCache;
}

const MAX_REDIRECTS = 3;

/**
 * A module whose digest is demanded is downloaded once, and not even that when the cache has it. One without is downloaded when its document is loaded or changes, and
 * when everything is loaded anew (SIGHUP, a restart), not when other documents change.
 *
 * https only; a redirect may not leave the origin; the address is checked when it is connected to, not before.
 */
export function createUrlModuleSource(options: UrlSourceOptions): ModuleSource {
  const { cache = noModuleCache } = options;
  const identify = createIdentify();
  return {
    place: 'url',
    async version(policy) {
      const { url = '', sha256: demanded } = policy.spec.module;
      if (demanded === undefined) return `${identify(policy)}`;
      cache.used(`sha256:${demanded}`);
      return `${demanded} ${url}`;
    },
    async fetch(policy) {
      const { url, sha256: demanded } = policy.spec.module;
      if (demanded === undefined && !options.allowWithoutDigest) {
        return new Fault('PC_MODULE_SOURCE', '`module.url` needs `module.sha256`');
      }
      const parsed = parseUrl(url ?? '');
      if (isFault(parsed)) return parsed;
      return demanded === undefined ? download(parsed, options) : downloadOnce(parsed, demanded, options);
    },
  };
}

async function downloadOnce(
  url: URL,
  digest: string,
  options: UrlSourceOptions,
): Promise<Uint8Array | Fault> {
  const { cache = noModuleCache, maxModuleBytes } = options;
  const name = `sha256:${digest}`;
  const kept = await cache.read(name, maxModuleBytes);
  if (kept !== undefined) return kept;
  const bytes = await download(url, options);
  // Whoever demanded the digest refuses other bytes; they have no place under it.
  if (!isFault(bytes) && sha256(bytes) === digest) await cache.write(name, bytes);
  return bytes;
}

function parseUrl(text: string): URL | Fault {
  const url = URL.parse(text);
  if (url === null) return new Fault('PC_MODULE_SOURCE', '`module.url` is not a URL');
  if (url.protocol !== 'https:')
    return new Fault('PC_MODULE_SOURCE', '`module.url` must start with `https://`');
  if (url.username !== '' || url.password !== '') {
    return new Fault('PC_MODULE_SOURCE', '`module.url` must not carry a user name or password');
  }
  return url;
}

async function download(start: URL, options: UrlSourceOptions): Promise<Uint8Array | Fault> {
  const signal = AbortSignal.timeout(options.timeout);
  let url = start;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer = await get(url, options, signal);
    if (isFault(answer)) return answer;
    const location = redirection(answer);
    if (location === undefined) return readBody(answer, url, options);
    answer.destroy();
    const next = URL.parse(location, url);
    if (next === null || next.origin !== start.origin) {
      return new Fault(
        'PC_MODULE_SOURCE',
        `\`${shown(start)}\` redirects to another origin; name the final address`,
      );
    }
    url = next;
  }
  return new Fault('PC_MODULE_FETCH', `\`${shown(start)}\` redirects more than ${MAX_REDIRECTS} times`);
}

function get(url: URL, options: UrlSourceOptions, signal: AbortSignal): Promise<IncomingMessage | Fault> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | Fault>();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!options.allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) {
    return Promise.resolve(privateAddress(url));
  }
  const outgoing = request(
    url,
    {
      signal,
      agent: false,
      headers: { accept: 'application/wasm, application/octet-stream', 'user-agent': 'portcullis' },
      ...(options.ca === undefined ? {} : { ca: [...getCACertificates('default'), options.ca] }),
      ...(options.allowPrivate ? {} : { lookup: publicLookup }),
    },
    resolve,
  );
  // An answer that switches protocols is none, and no error comes after it.
  outgoing.on('upgrade', (_answer, socket) => {
    socket.destroy();
    resolve(new Fault('PC_MODULE_FETCH', `\`${shown(url)}\` answered with another protocol`));
  });
  outgoing.on('error', (error) => {
    resolve(
      error instanceof ForbiddenAddressError
        ? privateAddress(url)
        : new Fault('PC_MODULE_FETCH', `cannot download \`${shown(url)}\`: ${error.message}`, {
            cause: error,
          }),
    );
  });
  outgoing.end();
  return promise;
}

const publicLookup = guardedLookup(isPrivateAddress);

function redirection(answer: IncomingMessage): string | undefined {
  const status = answer.statusCode ?? 0;
  return status >= 300 && status < 400 ? answer.headers.location : undefined;
}

async function readBody(
  answer: IncomingMessage,
  url: URL,
  options: UrlSourceOptions,
): Promise<Uint8Array | Fault> {
  if (answer.statusCode !== 200) {
    answer.destroy();
    return new Fault('PC_MODULE_FETCH', `\`${shown(url)}\` answered ${answer.statusCode ?? 'nothing'}`);
  }
  const tooLarge = new Fault(
    'PC_MODULE_SIZE',
    `\`${shown(url)}\` is larger than ${options.maxModuleBytes} bytes`,
  );
  if (Number(answer.headers['content-length'] ?? 0) > options.maxModuleBytes) {
    answer.destroy();
    return tooLarge;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > options.maxModuleBytes) {
        answer.destroy();
        return tooLarge;
      }
      chunks.push(chunk);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault('PC_MODULE_FETCH', `the download of \`${shown(url)}\` broke off: ${reason}`, {
      cause: error,
    });
  }
  return Buffer.concat(chunks);
}

function privateAddress(url: URL): Fault {
  return new Fault(
    'PC_MODULE_SOURCE',
    `\`${shown(url)}\` has a private address; set \`sources.url.allowPrivate\` to load from it`,
  );
}

/** Queries often carry credentials, so they are not shown. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
