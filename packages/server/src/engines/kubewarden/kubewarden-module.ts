import { isFault, type Fault } from '../../kernel/fault.ts';
import { compileModule } from '../../wasm/compile-module.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { checkMode, type KubewardenMode } from './kubewarden-exports.ts';
import { KUBEWARDEN_HOST } from './kubewarden-host.ts';
import { readMetadata, type KubewardenMetadata } from './kubewarden-metadata.ts';

export interface KubewardenModule extends CompiledModule {
  readonly mode: KubewardenMode;
  readonly metadata: KubewardenMetadata;
}

/** Faults: PC_MODULE_…, PC_KUBEWARDEN_PROTOCOL. */
export async function compileKubewarden(bytes: Uint8Array): Promise<KubewardenModule | Fault> {
  const compiled = await compileModule(bytes, KUBEWARDEN_HOST);
  if (isFault(compiled)) return compiled;
  const metadata = readMetadata(bytes);
  if (isFault(metadata)) return metadata;
  const mode = checkMode(compiled.info, metadata);
  return isFault(mode) ? mode : { ...compiled, mode, metadata };
}
