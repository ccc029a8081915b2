import { isFault } from '../../kernel/fault.ts';
import { createOciModuleSource } from '../../sources/oci/oci-module-source.ts';
import type { ModuleSource } from '../../sources/source.ts';
import { createCommandHost, MAX_BLOB, openRegistry } from '../policy/registry-access.ts';

/** Modules of registries as a command gets them: with the user's own credentials, once. */
export async function openOfflineModules(): Promise<ModuleSource> {
  const client = await openRegistry({});
  if (isFault(client)) return { place: 'oci', fetch: async () => client };
  return createOciModuleSource({
    client,
    runtime: createCommandHost(),
    maxModuleBytes: MAX_BLOB,
    refresh: 0,
  });
}
