import type { RegistryObserver } from '../oci/registry-observer.ts';
import { countCall, type Calls } from './metrics/calls.ts';

export interface RegistryCounts extends RegistryObserver {
  readonly calls: Calls;
}

/** Images of reviews name registries, so anybody may: later ones have no series of their own. */
const MAX_HOSTS = 50;
const OTHER = 'other';

/** Counts in the control thread, where all registries are asked from. */
export function createRegistryCounts(): RegistryCounts {
  const calls: Calls = new Map();
  return {
    calls,
    asked(host, outcome, durationMs) {
      const key = calls.has(host) || calls.size < MAX_HOSTS ? host : OTHER;
      countCall(calls, key, outcome, durationMs);
    },
  };
}
