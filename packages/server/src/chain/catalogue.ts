import type { EngineName, Phase, Review } from '@portcullis/contract';
import type { Engine, EngineHost } from '../engines/engine.ts';
import { isFault } from '../kernel/fault.ts';
import type { NamespaceLabels } from '../kernel/ports.ts';
import { isNamespaced } from '../policy/match/scope.ts';
import { createMatcher } from '../policy/matcher.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import type { PolicySet, PreparedPolicy } from './policy-set.ts';

export interface CatalogueOptions {
  readonly engines: ReadonlyMap<EngineName, Engine>;
  readonly host: EngineHost;
  readonly namespaceLabels: NamespaceLabels;
}

/** Kinds of requests whose candidates are remembered; past it (a flood of invented kinds) the memory starts anew. */
const MAX_REMEMBERED_KINDS = 4096;

/** A policy set opened on one thread: immutable, and counted while reviews use it. */
export class Catalogue {
  readonly revision: number;
  readonly #policies: readonly LoadedPolicy[];
  readonly #byKind = new Map<string, readonly LoadedPolicy[]>();
  #users = 0;
  /** Evaluators to close when the last review has left; set when a newer catalogue took over. */
  #retired: readonly LoadedPolicy[] | undefined;

  constructor(revision: number, policies: readonly LoadedPolicy[]) {
    this.revision = revision;
    this.#policies = policies;
  }

  get size(): number {
    return this.#policies.length;
  }

  get policies(): readonly LoadedPolicy[] {
    return this.#policies;
  }

  find(phase: Phase, name: string): LoadedPolicy | undefined {
    return this.#policies.find(
      ({ policy }) => policy.metadata.name === name && policy.spec.phase === phase && policy.spec.enabled,
    );
  }

  /** Policies that may concern requests of this kind, in order; each still has to look at the object. */
  candidates(phase: Phase, review: Review): readonly LoadedPolicy[] {
    const { operation, resource, subresource } = review;
    const namespaced = isNamespaced(review);
    const key = `${phase} ${review.gate} ${operation} ${resource.group}/${resource.version}/${resource.resource}/${subresource} ${namespaced}`;
    const known = this.#byKind.get(key);
    if (known !== undefined) return known;

    const found = this.#policies.filter(
      ({ policy: { spec }, matcher }) =>
        spec.enabled &&
        spec.phase === phase &&
        spec.gate === review.gate &&
        matcher.matchesKind(operation, resource, subresource, namespaced),
    );
    if (this.#byKind.size >= MAX_REMEMBERED_KINDS) this.#byKind.clear();
    this.#byKind.set(key, found);
    return found;
  }

  enter(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    this.#closeWhenUnused();
  }

  /** A newer catalogue is in force and does not use these any more. */
  retire(unused: readonly LoadedPolicy[]): void {
    this.#retired = unused;
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    if (this.#users > 0 || this.#retired === undefined) return;
    for (const { evaluator } of this.#retired) evaluator.close();
    this.#retired = undefined;
  }
}

/** Opens a policy set; what has not changed since `previous` stays open and keeps its warm instances. */
export function openCatalogue(set: PolicySet, options: CatalogueOptions, previous?: Catalogue): Catalogue {
  const open = new Map(previous?.policies.map((loaded) => [loaded.fingerprint, loaded]));
  const policies = set.policies.map(
    (prepared) => open.get(prepared.fingerprint) ?? load(prepared, set, options),
  );
  const catalogue = new Catalogue(set.revision, policies);
  const used = new Set(policies);
  previous?.retire(previous.policies.filter((loaded) => !used.has(loaded)));
  return catalogue;
}

/** The control thread has admitted all of this already: a failure here is a defect, not bad input. */
function load(prepared: PreparedPolicy, set: PolicySet, options: CatalogueOptions): LoadedPolicy {
  const { policy } = prepared;
  const engine = options.engines.get(prepared.engine);
  const module = set.modules.get(prepared.module);
  if (engine === undefined || module === undefined) {
    throw new TypeError(`policy set ${set.revision} lacks engine or module of \`${policy.metadata.name}\``);
  }
  const matcher = createMatcher(policy, { namespaceLabels: options.namespaceLabels });
  if (isFault(matcher)) throw matcher;
  return {
    policy,
    matcher,
    evaluator: engine.open(module, policy, options.host),
    phrases: engine.phrases,
    fingerprint: prepared.fingerprint,
  };
}
