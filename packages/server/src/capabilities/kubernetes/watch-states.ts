import type { ReflectorState, RestartReason } from '../../kube/reflector/reflector-types.ts';

/**
 * States by name, where several watches have one: everything with field selectors of a kind. What guests select by is no name, or
 * metrics would hold whatever they write.
 */
export function statesByName(
  watches: Iterable<readonly [name: string, state: ReflectorState]>,
): ReadonlyMap<string, ReflectorState> {
  const states = new Map<string, ReflectorState>();
  for (const [name, state] of watches) {
    const known = states.get(name);
    states.set(name, known === undefined ? state : worseOf(known, state));
  }
  return states;
}

/** What is true of both: as old as the older, and synced when both are. */
function worseOf(one: ReflectorState, other: ReflectorState): ReflectorState {
  const isWorse = Number(other.synced) < Number(one.synced) || (other.staleness ?? 0) > (one.staleness ?? 0);
  const worse = isWorse ? other : one;
  return {
    ...worse,
    synced: one.synced && other.synced,
    items: one.items + other.items,
    restarts: sum(one.restarts, other.restarts),
    problem: one.problem ?? other.problem,
  };
}

function sum(one: ReflectorState['restarts'], other: ReflectorState['restarts']): ReflectorState['restarts'] {
  const reasons = Object.keys(one) as RestartReason[];
  return Object.fromEntries(reasons.map((reason) => [reason, one[reason] + other[reason]])) as Record<
    RestartReason,
    number
  >;
}
