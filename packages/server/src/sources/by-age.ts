interface Aged {
  /** `metadata.creationTimestamp`: whole seconds, so that a key has to decide between some. */
  readonly created: string;
  readonly key?: string;
}

/** Oldest first. Replicas hear of objects in different orders; what depends on an order has to go by this one. */
export function byAge(one: Aged, other: Aged): number {
  return compare(one.created, other.created) || compare(one.key ?? '', other.key ?? '');
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
