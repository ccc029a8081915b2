import { domainToASCII } from 'node:url';
import { isIP } from 'node:net';
import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Runtime } from '../../kernel/ports.ts';
import { isMachineAddress, isPrivateAddress } from '../../kernel/net/private-address.ts';
import { createAnswerCache } from '../answer-cache.ts';
import { provide, type Provider } from '../provider.ts';

export interface DnsOptions {
  readonly runtime: Pick<Runtime, 'clock'>;
  /** Every address of a name; rejects when there is none. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  /** Tell policies addresses of private networks; those of a machine's own metadata are never told. */
  readonly allowPrivate: boolean;
}

/** Milliseconds. */
const TTL = 5000;
const MAX_NAMES = 10_000;
/** The resolver of the system works in a pool of four threads, which files need too. */
const MAX_LOOKUPS = 2;
const MAX_WAITING = 256;
const MAX_NAME = 253;
/** What ends a host in a URL, and the zone of an address, which is of this machine. */
const NOT_OF_NAMES = /[\s/?#@\\%[\]]/;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** `net/v1/dns_lookup_host`. */
export function createDnsLookup({ runtime, lookup, allowPrivate }: DnsOptions): Provider {
  const answers = createAnswerCache<readonly string[]>({ clock: runtime.clock, ttl: TTL, max: MAX_NAMES });
  const isForbidden = allowPrivate ? isMachineAddress : isPrivateAddress;
  const queue: (() => void)[] = [];
  let running = 0;

  async function inTurn(host: string): Promise<readonly string[] | Fault> {
    if (running >= MAX_LOOKUPS) {
      if (queue.length >= MAX_WAITING) {
        return new Fault('PC_CAPABILITY_BUSY', 'too many names are being looked up');
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      queue.push(resolve);
      await promise;
    } else {
      running += 1;
    }
    try {
      return await resolveHost(host, lookup);
    } finally {
      const next = queue.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return provide(z.string(), async (given) => {
    const host = readHost(given);
    if (isFault(host)) return host;
    const ips = isIP(host) === 0 ? await answers.get(host, () => inTurn(host)) : [host];
    if (isFault(ips)) return ips;
    // Some of several would be a wrong answer, not a part of one.
    if (ips.some(isForbidden)) {
      return new Fault('PC_CAPABILITY_FAILED', `\`${host}\` has an address that is not told to policies`);
    }
    return { json: { ips } };
  });
}

async function resolveHost(host: string, lookup: DnsOptions['lookup']): Promise<readonly string[] | Fault> {
  try {
    return [...new Set(await lookup(host))];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return new Fault('PC_CAPABILITY_FAILED', `the addresses of \`${host}\` cannot be looked up${code}`);
  }
}

/** A name in ASCII, lower-case, or an address. */
function readHost(given: string): string | Fault {
  const refuse = (): Fault =>
    new Fault('PC_CAPABILITY_INPUT', `\`${given.slice(0, MAX_NAME)}\` is no name of a host`);
  if (given.length > MAX_NAME || NOT_OF_NAMES.test(given)) return refuse();
  if (isIP(given) !== 0) return given;
  const host = domainToASCII(given.replace(/\.$/, ''));
  // `127.1` is an address to the system's resolver.
  if (host === '' || host.length > MAX_NAME || isIP(host) !== 0) return refuse();
  return host.split('.').every((label) => LABEL.test(label)) ? host : refuse();
}
