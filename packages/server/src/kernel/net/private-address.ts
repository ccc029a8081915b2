import { BlockList, isIPv6 } from 'node:net';

/** Addresses that are not of the public internet (IANA special-purpose registries): the server's own network. */
const SPECIAL = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  SPECIAL.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  SPECIAL.addSubnet(network, prefix, 'ipv6');
}

/** True for loopback, private, link-local, shared, documentation, multicast and reserved addresses, IPv4 inside IPv6 too. */
export function isPrivateAddress(address: string): boolean {
  // BlockList maps ::ffff:a.b.c.d to its IPv4 rules by itself.
  return SPECIAL.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Where clouds serve the credentials of a machine to whatever runs on it. */
const MACHINE = new BlockList();
MACHINE.addSubnet('169.254.0.0', 16, 'ipv4');
MACHINE.addSubnet('fe80::', 10, 'ipv6');
MACHINE.addAddress('fd00:ec2::254', 'ipv6');

/** True for link-local addresses and metadata services: nothing that anyone serves modules from. */
export function isMachineAddress(address: string): boolean {
  return MACHINE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
