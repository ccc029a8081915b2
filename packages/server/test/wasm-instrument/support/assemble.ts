import { ByteWriter } from '../../../src/wasm/binary/byte-writer.ts';
import { PREAMBLE, SECTION } from '../../../src/wasm/binary/sections.ts';

/**
 * A module with one exported function `run: () -> ()` whose code, without its last `end`, is given in bytes: for what the
 * text tool does not know. It has a memory, a table of funcref and a tag without parameters.
 */
export function assemble(code: readonly number[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.raw(PREAMBLE);
  section(out, SECTION.type, [1, 0x60, 0, 0]);
  section(out, SECTION.function, [1, 0]);
  section(out, SECTION.table, [1, 0x70, 0, 4]);
  section(out, SECTION.memory, [1, 0, 1]);
  section(out, SECTION.tag, [1, 0, 0]);
  section(out, SECTION.global, [1, 0x7f, 1, 0x41, 0, 0x0b]);
  section(out, SECTION.export, [1, 3, ...Buffer.from('run'), 0, 0]);
  section(out, SECTION.element, [1, 1, 0, 1, 0]);
  section(out, SECTION.dataCount, [1]);
  const body = new ByteWriter();
  body.raw([1, 1, 0x7f, ...code, 0x0b]);
  const content = new ByteWriter();
  content.raw([1]);
  content.sized(body);
  out.byte(SECTION.code);
  out.sized(content);
  section(out, SECTION.data, [1, 1, 1, 7]);
  return out.finish();
}

function section(out: ByteWriter, id: number, bytes: readonly number[]): void {
  const content = new ByteWriter();
  content.raw(bytes);
  out.byte(id);
  out.sized(content);
}
