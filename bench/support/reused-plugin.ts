import { readFileSync } from 'node:fs';

export interface ReusedPlugin {
  /** The output document. */
  validate(input: readonly Uint8Array[]): string;
}

/** One plain instance of a plugin, without metering, limits, reset or checks: a ceiling to compare with, never to serve with. */
export function reusedPlugin(path: string): ReusedPlugin {
  const module = new WebAssembly.Module(new Uint8Array(readFileSync(path)));
  let pieces: readonly Uint8Array[] = [];
  let output = '';
  const memory = (): ArrayBuffer => (instance.exports['memory'] as WebAssembly.Memory).buffer;
  const env = {
    get_input_len: () => pieces.reduce((sum, piece) => sum + piece.length, 0),
    read_input: (pointer: number, length: number) => {
      const target = new Uint8Array(memory(), pointer, length);
      let offset = 0;
      for (const piece of pieces) {
        target.set(piece, offset);
        offset += piece.length;
      }
      return offset;
    },
    write_output: (pointer: number, length: number) => {
      output = Buffer.from(memory(), pointer, length).toString();
      return 0;
    },
    log_message: () => {},
  };
  const instance = new WebAssembly.Instance(module, { env });
  const validate = instance.exports['validate'] as () => number;
  return {
    validate(input) {
      pieces = input;
      validate();
      return output;
    },
  };
}
