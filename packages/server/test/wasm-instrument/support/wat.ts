import createWabt from 'wabt';

const wabt = await createWabt();

const FEATURES = {
  exceptions: true,
  tail_call: true,
  simd: true,
  reference_types: true,
  bulk_memory: true,
  multi_value: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  extended_const: true,
  threads: true,
  memory64: true,
  multi_memory: true,
};

/** The binary of a module in text form. */
export function wat(text: string): Uint8Array<ArrayBuffer> {
  const module = wabt.parseWat('fixture.wat', text, FEATURES);
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
