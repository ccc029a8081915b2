import type { RegoValue } from '../values/rego-value.ts';
import { integerNumber } from './time.ts';

const HEX = /^[\da-f]{32}$/i;
const DASHED = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
/** 100 ns steps between the start of the Gregorian calendar and 1970. */
const GREGORIAN = 122_192_928_000_000_000n;
const DOMAINS = ['Person', 'Group', 'Org'];

/** What is in a UUID; of versions 1 and 2 also who made it and when. Undefined when it is none. */
export function parseUuid(text: string): RegoValue | undefined {
  // As Go's library: of 38 characters the first and the last are taken for braces, whatever they are.
  const isBraced = text.length === 38 && Buffer.byteLength(text) === 38;
  const bare = isBraced ? text.slice(1, -1) : text.replace(/^urn:uuid:/i, '');
  if (!DASHED.test(bare) && !(HEX.test(bare) && bare === text)) return undefined;
  const bytes = Buffer.from(bare.replaceAll('-', ''), 'hex');
  const version = bytes.readUInt8(6) >> 4;
  const parts = new Map<RegoValue, RegoValue>([
    ['version', version],
    ['variant', variantOf(bytes.readUInt8(8))],
  ]);
  if (version !== 1 && version !== 2) return parts;
  const time = (BigInt(bytes.readUInt16BE(6) & 0xfff) << 48n) | (BigInt(bytes.readUInt16BE(4)) << 32n);
  const node = bytes.subarray(10);
  parts.set('time', integerNumber((time + BigInt(bytes.readUInt32BE(0)) - GREGORIAN) * 100n));
  parts.set('nodeid', Array.from(node, (byte) => byte.toString(16).padStart(2, '0')).join('-'));
  const first = node.readUInt8(0);
  parts.set(
    'macvariables',
    `${(first & 2) === 0 ? 'global' : 'local'}:${(first & 1) === 0 ? 'unicast' : 'multicast'}`,
  );
  parts.set('clocksequence', bytes.readUInt16BE(8) & 0x3fff);
  if (version === 2) {
    const domain = bytes.readUInt8(9);
    parts.set('id', bytes.readUInt32BE(0));
    parts.set('domain', DOMAINS[domain] ?? `Domain${domain}`);
  }
  return parts;
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return 'RFC4122';
  if ((byte & 0xe0) === 0xc0) return 'Microsoft';
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved';
}
