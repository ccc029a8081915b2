import type { Phase, Review } from '@portcullis/contract';
import { indexKeysOf, namespaceKey, resourceKey } from '../policy/match/index-keys.ts';
import { isNamespaced } from '../policy/match/scope.ts';
import type { LoadedPolicy } from './loaded-policy.ts';

/** Kinds of requests whose candidates are remembered; past it (a flood of invented kinds) the memory starts anew. */
const MAX_REMEMBERED = { kinds: 4096, candidates: 500_000 };
/** Characters of a kind's key: real ones have about a hundred, invented ones megabytes. */
const MAX_KEY = 1024;

/** A policy at its place in the order of all. */
interface Placed {
  readonly place: number;
  readonly loaded: LoadedPolicy;
}

/** Policies of one phase and gate: a policy is filed under each resource that it names, or among those that name none. */
interface Shelf {
  readonly anyResource: Placed[];
  readonly byResource: Map<string, Placed[]>;
}

/** Policies that concern requests of one kind: under the namespaces that they name, or among those that name none. */
interface KindCandidates {
  readonly anyNamespace: readonly Placed[];
  readonly everywhere: readonly LoadedPolicy[];
  readonly byNamespace: ReadonlyMap<string, readonly Placed[]>;
}

const NONE: readonly Placed[] = [];

/** Finds the policies that may concern a request without a look at each. */
export class PolicyIndex {
  readonly #shelves = new Map<string, Shelf>();
  readonly #byKind = new Map<string, KindCandidates>();
  #size = 0;
  #remembered = 0;

  /** Kinds whose candidates are remembered. */
  get kinds(): number {
    return this.#byKind.size;
  }

  /** Policies come in their order. Those that are not enabled are never candidates. */
  add(loaded: LoadedPolicy): void {
    const placed = { place: this.#size++, loaded };
    const { enabled, phase, gate } = loaded.policy.spec;
    if (!enabled) return;
    const shelf = getOrPut(this.#shelves, shelfKey(phase, gate), () => ({
      anyResource: [],
      byResource: new Map(),
    }));
    const { resources } = indexKeysOf(loaded.policy);
    if (resources === undefined) shelf.anyResource.push(placed);
    else for (const key of resources) getOrPut(shelf.byResource, key, () => []).push(placed);
  }

  /** In order; each still has to look at the object. */
  candidates(phase: Phase, review: Review): readonly LoadedPolicy[] {
    const { anyNamespace, everywhere, byNamespace } = this.#ofKind(phase, review);
    const within = byNamespace.get(namespaceKey(review));
    return within === undefined ? everywhere : plain(merge(anyNamespace, within));
  }

  #ofKind(phase: Phase, review: Review): KindCandidates {
    const { operation, resource, subresource } = review;
    const namespaced = isNamespaced(review);
    const key = `${phase} ${review.gate} ${operation} ${resource.group}/${resource.version}/${resource.resource}/${subresource} ${namespaced}`;
    const known = this.#byKind.get(key);
    if (known !== undefined) return known;

    const shelf = this.#shelves.get(shelfKey(phase, review.gate));
    const filed = merge(shelf?.byResource.get(resourceKey(resource)) ?? NONE, shelf?.anyResource ?? NONE);
    const found = filed.filter(({ loaded: { matcher } }) =>
      matcher.matchesKind(operation, resource, subresource, namespaced),
    );
    if (this.#byKind.size >= MAX_REMEMBERED.kinds || this.#remembered > MAX_REMEMBERED.candidates) {
      this.#byKind.clear();
      this.#remembered = 0;
    }
    const candidates = byNamespaces(found);
    if (key.length <= MAX_KEY) {
      this.#byKind.set(key, candidates);
      this.#remembered += found.length;
    }
    return candidates;
  }
}

function byNamespaces(found: readonly Placed[]): KindCandidates {
  const anyNamespace: Placed[] = [];
  const byNamespace = new Map<string, Placed[]>();
  for (const placed of found) {
    const { namespaces } = indexKeysOf(placed.loaded.policy);
    if (namespaces === undefined) anyNamespace.push(placed);
    else for (const name of namespaces) getOrPut(byNamespace, name, () => []).push(placed);
  }
  return { anyNamespace, everywhere: plain(anyNamespace), byNamespace };
}

function plain(placed: readonly Placed[]): readonly LoadedPolicy[] {
  return placed.map(({ loaded }) => loaded);
}

/** Of two lists in order, which share nothing. */
function merge(left: readonly Placed[], right: readonly Placed[]): readonly Placed[] {
  if (left.length === 0) return right;
  if (right.length === 0) return left;
  const merged: Placed[] = [];
  let at = 0;
  for (const placed of left) {
    for (let other = right[at]; other !== undefined && other.place < placed.place; other = right[++at]) {
      merged.push(other);
    }
    merged.push(placed);
  }
  return merged.concat(right.slice(at));
}

function shelfKey(phase: string, gate: string): string {
  return `${phase} ${gate}`;
}

function getOrPut<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
