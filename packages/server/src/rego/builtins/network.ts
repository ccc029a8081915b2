import { isIPv4, isIPv6 } from 'node:net';

export interface Network {
  /** 32 or 128. */
  readonly bits: number;
  readonly first: bigint;
  /** Bits of the prefix. */
  readonly length: number;
}

/** One address as a network of itself; undefined when it is none. */
export function parseAddress(text: string): Network | undefined {
  if (isIPv4(text)) return { bits: 32, first: ipv4(text), length: 32 };
  // Zones are no part of an address here, as in Go.
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const first = ipv6(text);
  // An IPv4 address in its IPv6 form is that IPv4 address.
  if (first >> 32n === 0xffffn) return { bits: 32, first: first & 0xffffffffn, length: 32 };
  return { bits: 128, first, length: 128 };
}

/** `10.0.0.0/8`, with bits behind the prefix cleared; undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  const match = /^([^/]+)\/(\d{1,6})$/.exec(text);
  const address = parseAddress(match?.[1] ?? '');
  if (match === null || address === undefined) return undefined;
  const isMapped = address.bits === 32 && match[1]?.includes(':') === true;
  const length = Number(match[2]) - (isMapped ? 96 : 0);
  if (length < 0 || length > address.bits) return undefined;
  const host = BigInt(address.bits - length);
  return { bits: address.bits, first: (address.first >> host) << host, length };
}

export function lastOf({ bits, first, length }: Network): bigint {
  return first + (1n << BigInt(bits - length)) - 1n;
}

export function formatAddress(address: bigint, bits: number): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((address >> BigInt(112 - index * 16)) & 0xffffn),
  );
  const [start, length] = longestZeros(groups);
  const hex = (from: number, to?: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return length < 2 ? hex(0) : `${hex(0, start)}::${hex(start + length)}`;
}

function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best[1]) best = [start, length];
  }
  return best;
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const low = dotted === null ? 0n : ipv4(dotted[2] ?? '');
  const plain =
    dotted === null ? text : `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}
