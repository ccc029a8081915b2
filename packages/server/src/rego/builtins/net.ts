import { createSet } from '../values/compare-values.ts';
import { isArray, isObject, RegoSet, type RegoValue } from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { formatAddress, lastOf, parseAddress, parseNetwork, type Network } from './network.ts';
import { fail, items, text } from './operands.ts';

export const NET: Readonly<Record<string, Builtin>> = {
  'net.cidr_is_valid': ([value]) => typeof value === 'string' && parseNetwork(value) !== undefined,

  'net.cidr_expand': (args, { charge }) => {
    const network = parseNetwork(text(args, 0)) ?? fail('invalid CIDR address');
    const [first, last] = [network.first, lastOf(network)];
    charge(Number(last - first) * 20);
    const addresses: string[] = [];
    for (let address = first; address <= last; address++)
      addresses.push(formatAddress(address, network.bits));
    return createSet(addresses);
  },

  'net.cidr_merge': (args, { charge }) => {
    const values = items(args, 0);
    charge(values.length * 64);
    return createSet(
      merge(values.map(networkOf)).map(
        ({ first, length, bits }) => `${formatAddress(first, bits)}/${length}`,
      ),
    );
  },

  'net.cidr_contains_matches': (args, { charge }) => {
    const [outer, inner] = [operand(args[0], 1), operand(args[1], 2)];
    charge((outer.length + 1) * (inner.length + 1) * 20);
    const found: RegoValue[] = [];
    for (const [cidr, index] of outer) {
      const network = parseNetwork(cidr) ?? fail(`not a valid CIDR: ${cidr}`);
      for (const [other, otherIndex] of inner) {
        const match =
          parseAddress(other) ?? parseNetwork(other) ?? fail(`not a valid IP address or CIDR: ${other}`);
        if (contains(network, match)) found.push([index, otherIndex]);
      }
    }
    return createSet(found);
  },
};

function contains(outer: Network, inner: Network): boolean {
  return outer.bits === inner.bits && inner.first >= outer.first && lastOf(inner) <= lastOf(outer);
}

type Indexed = readonly (readonly [cidr: string, index: RegoValue])[];

/** A string is its own index; others have their places, members and keys. */
function operand(value: RegoValue | undefined, place: number): Indexed {
  if (typeof value === 'string') return [[value, value]];
  if (value === undefined) return [];
  const cidrOf = (item: RegoValue | undefined): string => {
    const first = item !== undefined && isArray(item) ? item[0] : item;
    return typeof first === 'string'
      ? first
      : fail(`operand ${place}: element must be string or non-empty array`);
  };
  if (isArray(value)) return value.map((item, index) => [cidrOf(item), index]);
  if (value instanceof RegoSet) return value.members.map((item) => [cidrOf(item), item]);
  return isObject(value) ? [...value].map(([key, item]) => [cidrOf(item), key]) : [];
}

/** An address without a length has the one of its old class, as Go's DefaultMask. */
function networkOf(value: RegoValue): Network {
  if (typeof value !== 'string') return fail('element must be string');
  const address = parseAddress(value);
  if (address === undefined) return parseNetwork(value) ?? fail(`invalid CIDR address: ${value}`);
  if (address.bits !== 32) return fail('IPv6 invalid: needs prefix length');
  const top = Number(address.first >> 24n);
  const classLength = top < 0xc0 ? 16 : 24;
  return { ...address, length: top < 0x80 ? 8 : classLength };
}

function merge(networks: readonly Network[]): readonly Network[] {
  const ranges = networks
    .map((network) => {
      // An address without a length may be anywhere in its network, and stays so where nothing is merged with it.
      const host = BigInt(network.bits - network.length);
      const first = (network.first >> host) << host;
      return { bits: network.bits, first, last: lastOf({ ...network, first }), network: [network] };
    })
    .sort(
      (one, other) =>
        one.bits - other.bits || compare(one.first, other.first) || compare(other.last, one.last),
    );
  const merged: typeof ranges = [];
  for (const range of ranges) {
    const previous = merged.at(-1);
    if (previous?.bits === range.bits && range.first <= previous.last + 1n) {
      if (range.last > previous.last) previous.last = range.last;
      previous.network = [];
    } else merged.push({ ...range });
  }
  return merged.flatMap(({ bits, first, last, network }) =>
    network.length > 0 ? network : cover(first, last, bits),
  );
}

/** The fewest networks that are a range together. */
function cover(first: bigint, last: bigint, bits: number): readonly Network[] {
  const networks: Network[] = [];
  for (let from = first; from <= last;) {
    let free = 0;
    while (free < bits && (from >> BigInt(free)) % 2n === 0n && from + (2n << BigInt(free)) - 1n <= last)
      free++;
    networks.push({ bits, first: from, length: bits - free });
    from += 1n << BigInt(free);
  }
  return networks;
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : Number(one > other);
}
