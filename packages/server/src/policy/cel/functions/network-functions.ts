import { isIP } from 'node:net';
import type { Register } from '../register.ts';
import { CelFailure } from '../cel-failure.ts';

class Address {
  readonly family: 4 | 6;
  readonly bits: bigint;

  constructor(family: 4 | 6, bits: bigint) {
    this.family = family;
    this.bits = bits;
  }

  /** The network of so many bits that it belongs to. */
  masked(prefix: number): Address {
    const free = BigInt(width(this.family) - prefix);
    return new Address(this.family, (this.bits >> free) << free);
  }

  within(network: Address, prefix: number): boolean {
    return this.family === network.family && this.masked(prefix).bits === network.masked(prefix).bits;
  }
}

class Cidr {
  readonly address: Address;
  readonly prefix: number;

  constructor(address: Address, prefix: number) {
    this.address = address;
    this.prefix = prefix;
  }
}

/** What `ip` is in `ip.isCanonical(…)`. */
class IpNamespace {
  readonly name = 'ip';
}

const IP = 'net.IP';
const CIDR = 'net.CIDR';

/** Kubernetes' IP and CIDR libraries. */
export const registerNetworkFunctions: Register = (environment) => {
  environment.registerType(IP, Address);
  environment.registerType(CIDR, Cidr);
  environment.registerOperator(`${IP} == ${IP}`, isSameAddress);
  environment.registerOperator(
    `${CIDR} == ${CIDR}`,
    (a: Cidr, b: Cidr) => a.prefix === b.prefix && isSameAddress(a.address, b.address),
  );
  environment.registerFunction(`ip(string): ${IP}`, ip);
  environment.registerFunction('isIP(string): bool', (text: string) => parseAddress(text) !== undefined);
  environment.registerFunction(`cidr(string): ${CIDR}`, cidr);
  environment.registerFunction('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined);
  environment.registerType('IPNamespace', IpNamespace);
  environment.registerConstant('ip', 'IPNamespace', new IpNamespace());
  environment.registerFunction(
    'IPNamespace.isCanonical(string): bool',
    (_: IpNamespace, text: string) => format(ip(text)) === text,
  );

  environment.registerFunction(`${IP}.family(): int`, ({ family }: Address) => BigInt(family));
  environment.registerFunction(`string(${IP}): string`, format);
  for (const [name, networks] of Object.entries(CLASSES)) {
    const cidrs = networks.map(cidr);
    environment.registerFunction(`${IP}.${name}(): bool`, (address: Address) => isIn(address, cidrs));
  }
  const special = [
    'isUnspecified',
    'isLoopback',
    'isMulticast',
    'isLinkLocalUnicast',
    'isBroadcast',
  ] as const;
  const notGlobal = special.flatMap((name) => SPECIAL[name].map(cidr));
  environment.registerFunction(
    `${IP}.isGlobalUnicast(): bool`,
    (address: Address) => !isIn(address, notGlobal),
  );

  environment.registerFunction(`${CIDR}.containsIP(${IP}): bool`, containsIp);
  environment.registerFunction(`${CIDR}.containsIP(string): bool`, (self: Cidr, text: string) =>
    containsIp(self, ip(text)),
  );
  environment.registerFunction(`${CIDR}.containsCIDR(${CIDR}): bool`, containsCidr);
  environment.registerFunction(`${CIDR}.containsCIDR(string): bool`, (self: Cidr, text: string) =>
    containsCidr(self, cidr(text)),
  );
  environment.registerFunction(`${CIDR}.ip(): ${IP}`, ({ address }: Cidr) => address);
  environment.registerFunction(
    `${CIDR}.masked(): ${CIDR}`,
    ({ address, prefix }: Cidr) => new Cidr(address.masked(prefix), prefix),
  );
  environment.registerFunction(`${CIDR}.prefixLength(): int`, ({ prefix }: Cidr) => BigInt(prefix));
  environment.registerFunction(
    `string(${CIDR}): string`,
    ({ address, prefix }: Cidr) => `${format(address)}/${prefix}`,
  );
};

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  isUnspecified: ['0.0.0.0/32', '::/128'],
  isLoopback: ['127.0.0.0/8', '::1/128'],
  isLinkLocalMulticast: ['224.0.0.0/24', 'ff02::/16'],
  isLinkLocalUnicast: ['169.254.0.0/16', 'fe80::/10'],
};

/** What Go's IsGlobalUnicast leaves out. */
const SPECIAL = {
  isUnspecified: ['0.0.0.0/32', '::/128'],
  isLoopback: ['127.0.0.0/8', '::1/128'],
  isMulticast: ['224.0.0.0/4', 'ff00::/8'],
  isLinkLocalUnicast: ['169.254.0.0/16', 'fe80::/10'],
  isBroadcast: ['255.255.255.255/32'],
} as const;

function width(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function isIn(address: Address, networks: readonly Cidr[]): boolean {
  return networks.some((network) => containsIp(network, address));
}

function containsIp({ address, prefix }: Cidr, candidate: Address): boolean {
  return candidate.within(address, prefix);
}

function containsCidr(self: Cidr, other: Cidr): boolean {
  return other.prefix >= self.prefix && containsIp(self, other.address);
}

function isSameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.bits === b.bits;
}

function ip(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new CelFailure('ip() takes an IP address');
  return address;
}

function cidr(text: string): Cidr {
  const network = parseCidr(text);
  if (network === undefined) throw new CelFailure('cidr() takes a network such as `10.0.0.0/8`');
  return network;
}

function parseCidr(text: string): Cidr | undefined {
  const [, host, length] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const address = host === undefined ? undefined : parseAddress(host);
  const prefix = Number(length);
  return address === undefined || prefix > width(address.family) ? undefined : new Cidr(address, prefix);
}

/** As in Kubernetes: no zones, no IPv4 addresses inside IPv6 ones. */
function parseAddress(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 4) return new Address(4, join(text.split('.').map(BigInt), 8n));
  if (family !== 6 || /[.%]/.test(text)) return undefined;
  const [left = '', right] = text.split('::');
  const head = groups(left);
  const tail = groups(right ?? '');
  const zeros = Array<bigint>(8 - head.length - tail.length).fill(0n);
  const bits = join([...head, ...zeros, ...tail], 16n);
  return bits >> 32n === 0xffffn ? undefined : new Address(6, bits);
}

function groups(text: string): readonly bigint[] {
  return text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
}

function join(parts: readonly bigint[], size: bigint): bigint {
  return parts.reduce((bits, part) => (bits << size) | part, 0n);
}

/** The canonical form: of the longest runs of zeros the first is left out (RFC 5952). */
function format({ family, bits }: Address): string {
  const size = family === 4 ? 8n : 16n;
  const parts = Array.from({ length: family === 4 ? 4 : 8 }, (_, index, last = family === 4 ? 3 : 7) =>
    BigInt.asUintN(Number(size), bits >> (BigInt(last - index) * size)),
  );
  if (family === 4) return parts.join('.');
  const text = parts.map((part) => part.toString(16)).join(':');
  const runs = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)];
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (longest === undefined) return text;
  const head = text.slice(0, longest.index).replace(/:$/, '');
  const tail = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${head}::${tail}`;
}
