import loadWabt from 'wabt';

/** A module of the plugin ABI that says the same to every review. */
export async function fixedPolicy(output: unknown): Promise<Uint8Array> {
  const text = JSON.stringify(output);
  const data = [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return assemble(`(module
    (import "env" "read_input" (func (param i32 i32) (result i32)))
    (import "env" "write_output" (func $write (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 1024) "${data}")
    (func (export "validate") (result i32)
      (drop (call $write (i32.const 1024) (i32.const ${Buffer.byteLength(text)})))
      (i32.const ${isAllowed(output) ? 0 : 1})))`);
}

/** A module of the plugin ABI that never comes back. */
export function endlessPolicy(): Promise<Uint8Array> {
  return assemble(`(module
    (import "env" "read_input" (func (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "validate") (result i32) (loop $again (br $again)) (i32.const 0)))`);
}

async function assemble(wat: string): Promise<Uint8Array> {
  const wabt = await loadWabt();
  const module = wabt.parseWat('policy.wat', wat);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

function isAllowed(output: unknown): boolean {
  return typeof output === 'object' && output !== null && 'allowed' in output && output.allowed === true;
}

/** The same module with a custom section, so that it has this many bytes. */
export function paddedModule(module: Uint8Array, bytes: number): Uint8Array {
  // Id 0, five bytes of length, an empty name.
  const content = bytes - module.length - 6;
  if (content < 1) throw new TypeError(`the module has ${module.length} bytes already`);
  const section = Buffer.alloc(bytes - module.length);
  let rest = content;
  for (let index = 1; index <= 5; index += 1, rest >>>= 7)
    section[index] = (rest & 0x7f) | (index < 5 ? 0x80 : 0);
  return Buffer.concat([module, section]);
}
