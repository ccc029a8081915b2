import { Fault } from '../../kernel/fault.ts';

/** A file in an archive: where its bytes lie. */
export interface TarEntry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** Reads bytes at a place of the archive; fewer at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

const BLOCK = 512;
const MAX_ENTRIES = 100_000;
const MAX_NAME = 100;
const FILE_TYPES = ['0', '\0', '7'];

/** Header and padded content of a file as POSIX ustar has it. Without times and owners: the same content, the same archive. */
export function tarFile(name: string, bytes: Uint8Array): Uint8Array {
  if (Buffer.byteLength(name) > MAX_NAME) throw new TypeError(`the name ${name} is too long`);
  const padded = new Uint8Array(BLOCK + Math.ceil(bytes.length / BLOCK) * BLOCK);
  const header = Buffer.from(padded.buffer, 0, BLOCK);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148);
  padded.set(bytes, BLOCK);
  return padded;
}

export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

/** The files of an archive, the last one of a name. Folders, links and extended headers are passed over. */
export async function readTarIndex(readAt: ReadAt): Promise<ReadonlyMap<string, TarEntry> | Fault> {
  const entries = new Map<string, TarEntry>();
  for (let offset = 0, count = 0; ; count += 1) {
    const bytes = await readAt(offset, BLOCK);
    const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (header.length < BLOCK || header.every((byte) => byte === 0)) return entries;
    const size = octal(header, 124, 12);
    if (octal(header, 148, 8) !== checksum(header) || size === undefined || count === MAX_ENTRIES) {
      return new Fault(
        'PC_INPUT',
        'it is not a tar archive that can be read (compressed ones have to be unpacked)',
      );
    }
    if (FILE_TYPES.includes(String.fromCharCode(header[156] ?? 0))) {
      const prefix = text(header, 345, 155);
      const name = `${prefix === '' ? '' : `${prefix}/`}${text(header, 0, 100)}`.replace(/^(?:\.\/)+/, '');
      entries.set(name, { name, offset: offset + BLOCK, size });
    }
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/** Of all bytes, the field itself as spaces. */
function checksum(header: Buffer): number {
  let sum = 8 * 32;
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum;
}

function octal(header: Buffer, start: number, length: number): number | undefined {
  const digits = text(header, start, length).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}
