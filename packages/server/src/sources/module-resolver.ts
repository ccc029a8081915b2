import type { ModuleReference, Policy } from '@portcullis/contract';
import { sha256 } from '../kernel/digest.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import type { ModuleSource } from './source.ts';

export interface ResolvedModule {
  readonly bytes: Uint8Array;
  /** Lower-case hex. */
  readonly digest: string;
}

export interface ModuleResolver {
  /** The bytes of a policy's module, held to the size cap and to the digest that the policy demands. */
  resolve(policy: Policy): Promise<ResolvedModule | Fault>;
}

export function createModuleResolver(
  sources: readonly ModuleSource[],
  maxModuleBytes: number,
): ModuleResolver {
  const byPlace = new Map<string, ModuleSource>(sources.map((source) => [source.place, source]));

  return {
    async resolve(policy) {
      const place = placeOf(policy.spec.module);
      const source = place === undefined ? undefined : byPlace.get(place);
      if (source === undefined) {
        return new Fault(
          'PC_MODULE_SOURCE',
          `modules from \`${place ?? 'nowhere'}\` are not supported by this server`,
        );
      }
      const bytes = await source.fetch(policy);
      if (isFault(bytes)) return bytes;
      if (bytes.length > maxModuleBytes) {
        return new Fault('PC_MODULE_SIZE', `module has ${bytes.length} bytes; the cap is ${maxModuleBytes}`);
      }
      const digest = sha256(bytes);
      const expected = policy.spec.module.sha256;
      if (expected !== undefined && expected !== digest) {
        return new Fault(
          'PC_MODULE_DIGEST',
          `Plugin ${policy.metadata.name} integrity check failed: expected ${expected}, got ${digest}`,
          { data: { expected, actual: digest } },
        );
      }
      return { bytes, digest };
    },
  };
}

const PLACES = ['file', 'inline', 'url', 'oci', 'configMap', 'secret'] as const;

function placeOf(reference: ModuleReference): ModuleSource['place'] | undefined {
  return PLACES.find((place) => reference[place] !== undefined);
}
