import type { Phase, Review } from '@portcullis/contract';
import { indexKeysOf, namespaceKey, resourceKey, type IndexKeys } from '../policy/match/index-keys.ts';
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

/** Under each namespace that a policy names, or among those that name none. */
interface Drawer {
  readonly anyNamespace: Placed[];
  readonly byNamespace: Map<string, Placed[]>;
}

/** Policies of one phase and gate: under each resource that a policy names, or among those that name none. */
interface Shelf {
  readonly anyResource: Drawer;
  readonly byResource: Map<string, Drawer>;
}

/** Policies that name no namespace and concern requests of one kind. */
interface KindCandidates {
  readonly placed: readonly Placed[];
  readonly plain: readonly LoadedPolicy[];
}

const NONE: readonly Placed[] = [];
const NOTHING: Drawer = { anyNamespace: [], byNamespace: new Map() };
/** Policies stay open from set to set, and what they are filed under does not change. */
const keysOf = new WeakMap<LoadedPolicy, IndexKeys>();

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

  /** Policies come in their order. Those that are not enabled, or asked by name only, are never candidates. */
  add(loaded: LoadedPolicy): void {
    const placed = { place: this.#size++, loaded };
    const { enabled, phase, gate } = loaded.policy.spec;
    if (!enabled || loaded.policy.byName !== undefined) return;
    const shelf = getOrPut(this.#shelves, shelfKey(phase, gate), createShelf);
    const { resources, namespaces } = getOrPut(keysOf, loaded, () => indexKeysOf(loaded.policy));
    if (resources === undefined) put(placed, shelf.anyResource, namespaces);
    else for (const key of resources) put(placed, getOrPut(shelf.byResource, key, createDrawer), namespaces);
  }

  /** In order; each still has to look at the object. */
  candidates(phase: Phase, review: Review): readonly LoadedPolicy[] {
    const shelf = this.#shelves.get(shelfKey(phase, review.gate));
    if (shelf === undefined) return [];
    const named = shelf.byResource.get(resourceKey(review.resource)) ?? NOTHING;
    const anywhere = this.#anywhere(review, phase, [named, shelf.anyResource]);
    const namespace = namespaceKey(review);
    const within = ofKind(
      review,
      merge(named.byNamespace.get(namespace) ?? NONE, shelf.anyResource.byNamespace.get(namespace) ?? NONE),
    );
    return within.length === 0 ? anywhere.plain : plain(merge(anywhere.placed, within));
  }

  #anywhere(review: Review, phase: Phase, [named, other]: readonly [Drawer, Drawer]): KindCandidates {
    const { operation, resource, subresource } = review;
    const key = `${phase} ${review.gate} ${operation} ${resource.group}/${resource.version}/${resource.resource}/${subresource} ${isNamespaced(review)}`;
    const known = this.#byKind.get(key);
    if (known !== undefined) return known;

    const placed = ofKind(review, merge(named.anyNamespace, other.anyNamespace));
    const candidates = { placed, plain: plain(placed) };
    if (this.#byKind.size >= MAX_REMEMBERED.kinds || this.#remembered > MAX_REMEMBERED.candidates) {
      this.#byKind.clear();
      this.#remembered = 0;
    }
    if (key.length <= MAX_KEY) {
      this.#byKind.set(key, candidates);
      this.#remembered += placed.length;
    }
    return candidates;
  }
}

function ofKind(review: Review, placed: readonly Placed[]): readonly Placed[] {
  const { operation, resource, subresource } = review;
  const namespaced = isNamespaced(review);
  return placed.filter(({ loaded: { matcher } }) =>
    matcher.matchesKind(operation, resource, subresource, namespaced),
  );
}

function createShelf(): Shelf {
  return { anyResource: createDrawer(), byResource: new Map() };
}

function createDrawer(): Drawer {
  return { anyNamespace: [], byNamespace: new Map() };
}

function put(placed: Placed, drawer: Drawer, namespaces: IndexKeys['namespaces']): void {
  if (namespaces === undefined) drawer.anyNamespace.push(placed);
  else for (const name of namespaces) getOrPut(drawer.byNamespace, name, () => []).push(placed);
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

function getOrPut<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
