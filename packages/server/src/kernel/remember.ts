import { LRUCache } from 'lru-cache';

/** Longer keys are not remembered: a cache must not be a way to fill the memory. */
const MAX_KEY = 4096;

/**
 * A pure function of a text that remembers its last `count` answers. For what is asked again and again on the path of every
 * request: the same user, the same timeout, the same annotation keys. Answers must not be changed by who gets them.
 */
export function remember<V extends object | string | number>(
  compute: (text: string) => V,
  count: number,
): (text: string) => V {
  const known = new LRUCache<string, V>({ max: count });
  return (text) => {
    const answer = known.get(text);
    if (answer !== undefined) return answer;
    const computed = compute(text);
    if (text.length <= MAX_KEY) known.set(text, computed);
    return computed;
  };
}
