import { fail } from '../operands.ts';

/** One element of DER (X.690). */
export interface DerNode {
  /** With class and form: 0x30 is a sequence, 0xa0 the explicit tag 0. */
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly raw: Buffer;
}

export const TAG = { boolean: 1, integer: 2, bits: 3, octets: 4, oid: 6, sequence: 0x30, set: 0x31 };

/** All elements of some bytes, one behind another; fails on anything else. */
export function readDer(bytes: Buffer): readonly DerNode[] {
  const nodes: DerNode[] = [];
  let at = 0;
  while (at < bytes.length) {
    const node = readNode(bytes.subarray(at));
    nodes.push(node);
    at += node.raw.length;
  }
  return nodes;
}

function readNode(bytes: Buffer): DerNode {
  const [tag = 0, first = 0x80] = bytes;
  const extra = first < 0x80 ? 0 : first & 0x7f;
  // Lengths of unknown size are BER, and no certificate is longer than four bytes tell.
  if (first === 0x80 || extra > 4 || bytes.length < 2 + extra) return fail('asn1: structure error');
  const length = extra === 0 ? first : bytes.readUIntBE(2, extra);
  const end = 2 + extra + length;
  if (end > bytes.length) return fail('asn1: syntax error: data truncated');
  return { tag, content: bytes.subarray(2 + extra, end), raw: bytes.subarray(0, end) };
}

export function oneOf(bytes: Buffer): DerNode {
  const [node, ...rest] = readDer(bytes);
  return node !== undefined && rest.length === 0 ? node : fail('asn1: structure error');
}

/** Members of an element with this tag. */
export function membersOf(node: DerNode | undefined, tag: number = TAG.sequence): readonly DerNode[] {
  return node?.tag === tag ? readDer(node.content) : fail('asn1: structure error');
}

export function oidOf(node: DerNode | undefined): readonly number[] {
  if (node?.tag !== TAG.oid || node.content.length === 0) return fail('asn1: structure error');
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of node.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 2 ** 45) return fail('asn1: number in an object identifier is too large');
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const top = Math.min(Math.floor(head / 40), 2);
  return [top, head - top * 40, ...rest];
}

export function integerOfDer(node: DerNode | undefined): bigint {
  if (node?.tag !== TAG.integer || node.content.length === 0) return fail('asn1: structure error');
  return BigInt.asIntN(node.content.length * 8, BigInt(`0x${node.content.toString('hex')}`));
}

/** Nanoseconds since 1970 of a UTCTime or GeneralizedTime. */
export function timeOfDer(node: DerNode | undefined): bigint {
  const text = node?.content.toString('latin1') ?? '';
  const digits = node?.tag === 0x17 ? `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}` : text;
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (found === null) return fail('x509: malformed time');
  const [, year, month, day, hour, minute, second] = found;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(milliseconds) ? fail('x509: malformed time') : BigInt(milliseconds) * 1_000_000n;
}

const UTF16 = 0x1e;

export function textOfDer({ tag, content }: DerNode): string {
  if (tag !== UTF16) return content.toString();
  if (content.length % 2 !== 0) return fail('asn1: structure error');
  return Buffer.from(content).swap16().toString('utf16le');
}

/** The bits of a bit string, first bit in bit 0, as Go's key usages have them. */
export function bitsOfDer(node: DerNode | undefined): Buffer {
  if (node?.tag !== TAG.bits || node.content.length === 0) return fail('asn1: structure error');
  return node.content.subarray(1);
}
