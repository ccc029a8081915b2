import loadWabt from 'wabt';

/** The bytes of a module in WebAssembly text. */
export async function assembleWat(wat: string): Promise<Uint8Array> {
  const wabt = await loadWabt();
  const module = wabt.parseWat('guest.wat', wat);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}
