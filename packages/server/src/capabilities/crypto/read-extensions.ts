/** One extension of a certificate (RFC 5280, 4.1). */
export interface CertificateExtension {
  /** DER of the object identifier, in hex: `551d13` are basic constraints. */
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

const BOOLEAN = 0x01;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
/** `[3] EXPLICIT Extensions`. */
const EXTENSIONS = 0xa3;

/** One element of DER: its tag and its content. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The extensions of a certificate in DER that OpenSSL has read already; undefined when it has another form. */
export function readExtensions(certificate: Uint8Array): readonly CertificateExtension[] | undefined {
  const signed = firstIn(firstIn(certificate, SEQUENCE), SEQUENCE);
  const fields = signed === undefined ? undefined : readElements(signed);
  if (fields === undefined) return undefined;
  const field = fields.find(({ tag }) => tag === EXTENSIONS);
  if (field === undefined) return [];
  const list = firstIn(field.content, SEQUENCE);
  const extensions = list === undefined ? undefined : readElements(list)?.map(readExtension);
  return extensions?.includes(undefined) === false
    ? extensions.filter((extension) => extension !== undefined)
    : undefined;
}

/** Content of the first element, which has that tag. */
function firstIn(bytes: Uint8Array | undefined, tag: number): Uint8Array | undefined {
  const [first] = bytes === undefined ? [] : (readElements(bytes) ?? []);
  return first?.tag === tag ? first.content : undefined;
}

function readExtension({ tag, content }: DerElement): CertificateExtension | undefined {
  if (tag !== SEQUENCE) return undefined;
  const [id, ...rest] = readElements(content) ?? [];
  const value = rest.at(-1);
  if (id === undefined || value?.tag !== OCTET_STRING) return undefined;
  const critical = rest[0]?.tag === BOOLEAN && rest[0].content[0] !== 0;
  return { id: Buffer.from(id.content).toString('hex'), critical, value: value.content };
}

/** The elements that stand one after the other; undefined when a length leads out of the bytes. */
export function readElements(bytes: Uint8Array): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    at += 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4) return undefined;
      length = 0;
      for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[at + index] ?? 0);
      at += count;
    }
    if (at + length > bytes.length) return undefined;
    elements.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return elements;
}
