import type { ModuleReference, Policy } from '@portcullis/contract';
import { sha256 } from '../kernel/digest.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import type { ModuleSource } from './source.ts';

export interface ResolvedModule {
  /** Lower-case hex. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface FetchedModule extends ResolvedModule {
  readonly bytes: Uint8Array;
}

export interface ModuleResolver {
  /**
   * Which module a policy has, held to the size cap and to the digest that the policy demands. The bytes are fetched only when
   * the source does not know them by their version.
   */
  resolve(policy: Policy): Promise<ResolvedModule | FetchedModule | Fault>;
  /** The same with the bytes, whatever is known of them. */
  fetch(policy: Policy): Promise<FetchedModule | Fault>;
}

/** Versions that are remembered; past it the one that was not asked for longest goes. */
const MAX_KNOWN = 20_000;

export function createModuleResolver(
  sources: readonly ModuleSource[],
  maxModuleBytes: number,
): ModuleResolver {
  const byPlace = new Map<string, ModuleSource>(sources.map((source) => [source.place, source]));
  /** By place and version; the one asked for last at the end. */
  const known = new Map<string, ResolvedModule>();
  /** Policies share modules: what one fetches, all get who ask meanwhile. */
  const fetching = new Map<string, Promise<FetchedModule | Fault>>();

  function sourceOf(policy: Policy): ModuleSource | Fault {
    const place = placeOf(policy.spec.module);
    const source = place === undefined ? undefined : byPlace.get(place);
    return (
      source ??
      new Fault('PC_MODULE_SOURCE', `modules from \`${place ?? 'nowhere'}\` are not supported by this server`)
    );
  }

  /** Asked before the bytes are fetched: should they change in between, the next version differs and they are fetched again. */
  async function versionOf(source: ModuleSource, policy: Policy): Promise<string | undefined> {
    const version = await source.version?.(policy);
    return version === undefined ? undefined : `${source.place} ${version}`;
  }

  async function fetchFrom(source: ModuleSource, policy: Policy): Promise<FetchedModule | Fault> {
    const bytes = await source.fetch(policy);
    if (isFault(bytes)) return bytes;
    if (bytes.length > maxModuleBytes) {
      return new Fault('PC_MODULE_SIZE', `module has ${bytes.length} bytes; the cap is ${maxModuleBytes}`);
    }
    return { bytes, digest: sha256(bytes), size: bytes.length };
  }

  function remember(version: string, module: ResolvedModule | Fault): void {
    known.delete(version);
    if (isFault(module)) return;
    known.set(version, { digest: module.digest, size: module.size });
    const [oldest] = known.size > MAX_KNOWN ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
  }

  async function fetchVersion(
    source: ModuleSource,
    policy: Policy,
    version: string | undefined,
  ): Promise<FetchedModule | Fault> {
    if (version === undefined) return fetchFrom(source, policy);
    const underWay = fetching.get(version);
    if (underWay !== undefined) return underWay;
    const fetched = fetchFrom(source, policy).finally(() => fetching.delete(version));
    fetching.set(version, fetched);
    remember(version, await fetched);
    return fetched;
  }

  return {
    async resolve(policy) {
      const source = sourceOf(policy);
      if (isFault(source)) return source;
      const version = await versionOf(source, policy);
      const module = version === undefined ? undefined : known.get(version);
      if (version === undefined || module === undefined || isFault(demanded(module, policy))) {
        // What does not have the digest that is demanded may have been put right.
        return demanded(await fetchVersion(source, policy, version), policy);
      }
      remember(version, module);
      return module;
    },

    async fetch(policy) {
      const source = sourceOf(policy);
      if (isFault(source)) return source;
      return demanded(await fetchVersion(source, policy, await versionOf(source, policy)), policy);
    },
  };
}

/** Faults when the policy demands another digest. */
function demanded<M extends ResolvedModule>(module: M | Fault, { metadata, spec }: Policy): M | Fault {
  const expected = spec.module.sha256;
  if (isFault(module) || expected === undefined || expected === module.digest) return module;
  return new Fault(
    'PC_MODULE_DIGEST',
    `Plugin ${metadata.name} integrity check failed: expected ${expected}, got ${module.digest}`,
    { data: { expected, actual: module.digest } },
  );
}

const PLACES = ['file', 'inline', 'url', 'oci', 'configMap', 'secret'] as const;

function placeOf(reference: ModuleReference): ModuleSource['place'] | undefined {
  return PLACES.find((place) => reference[place] !== undefined);
}
