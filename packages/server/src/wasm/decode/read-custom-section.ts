import { Fault, isFault } from '../../kernel/fault.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { PREAMBLE, SECTION } from '../binary/sections.ts';

/** The payload of the first custom section of this name; undefined when there is none. Faults: PC_MODULE_MALFORMED. */
export function readCustomSection(bytes: Uint8Array, name: string): Uint8Array | undefined | Fault {
  try {
    const reader = new ByteReader(bytes);
    reader.skip(PREAMBLE.length);
    while (!reader.done) {
      const id = reader.byte();
      const size = reader.u32();
      const start = reader.at;
      reader.skip(size);
      if (id !== SECTION.custom) continue;
      const content = new ByteReader(bytes, start, reader.at);
      if (content.name() === name) return bytes.subarray(content.at, content.end);
    }
    return undefined;
  } catch (error) {
    return isFault(error) ? error : Fault.from(error);
  }
}
