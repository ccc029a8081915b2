import type { Phase, Policy } from '@portcullis/contract';

/** A gate keeps 5 % of the time for the way back; the rest is for the network. */
const GATE_SHARE = 0.95;
const NETWORK_MS = 250;
const MAX_SECONDS = 30;

/** Whole seconds that a call of these policies may take: one after another when they mutate, side by side when they validate. */
export function neededSeconds(policies: readonly Policy[], phase: Phase): number {
  const times = policies.map(({ spec }) => spec.limits.timeoutMs);
  const needed =
    phase === 'mutate'
      ? times.reduce((sum, time) => sum + time, 0)
      : times.reduce((a, b) => Math.max(a, b), 0);
  return Math.max(1, Math.ceil((needed / GATE_SHARE + NETWORK_MS) / 1000));
}

/** What an API server takes: 1 to 30. */
export function cappedSeconds(needed: number, cap: number): number {
  return Math.max(1, Math.min(needed, Math.floor(cap), MAX_SECONDS));
}
