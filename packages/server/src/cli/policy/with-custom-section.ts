import { Fault, isFault } from '../../kernel/fault.ts';
import { ByteReader } from '../../wasm/binary/byte-reader.ts';
import { ByteWriter } from '../../wasm/binary/byte-writer.ts';
import { PREAMBLE, SECTION } from '../../wasm/binary/sections.ts';

/** The module with one custom section of this name, at its end; nothing else changes. Faults: PC_MODULE_MALFORMED. */
export function withCustomSection(module: Uint8Array, name: string, payload: Uint8Array): Uint8Array | Fault {
  try {
    const parts = [module.subarray(0, PREAMBLE.length)];
    const reader = new ByteReader(module);
    reader.skip(PREAMBLE.length);
    while (!reader.done) {
      const start = reader.at;
      const id = reader.byte();
      const size = reader.u32();
      const payloadStart = reader.at;
      reader.skip(size);
      const content = new ByteReader(module, payloadStart, reader.at);
      const isOld = id === SECTION.custom && content.name() === name;
      if (!isOld) parts.push(module.subarray(start, reader.at));
    }
    return Buffer.concat([...parts, customSection(name, payload)]);
  } catch (error) {
    return isFault(error) ? error : Fault.from(error);
  }
}

function customSection(name: string, payload: Uint8Array): Uint8Array {
  const content = new ByteWriter(payload.length + name.length + 8);
  content.name(name);
  content.copy(payload, 0, payload.length);
  const section = new ByteWriter(content.length + 8);
  section.byte(SECTION.custom);
  section.sized(content);
  return section.finish();
}
