import { isFault } from '../../../src/kernel/fault.ts';
import { decodeModule } from '../../../src/wasm/decode/decode-module.ts';
import type { DecodedModule } from '../../../src/wasm/decode/decoded-module.ts';
import { instrumentModule } from '../../../src/wasm/instrument/instrument-module.ts';
import type { InstrumentedModule } from '../../../src/wasm/instrumented.ts';

/** The rewrite of a module that must be accepted; OPA's import their memory. */
export function instrumented(bytes: Uint8Array): InstrumentedModule {
  const result = instrumentModule(bytes, { importedMemory: 'env.memory' });
  if (isFault(result)) throw result;
  return result;
}

export function decoded(bytes: Uint8Array): DecodedModule {
  const result = decodeModule(bytes);
  if (isFault(result)) throw result;
  return result;
}
