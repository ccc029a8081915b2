import { remember } from '../kernel/remember.ts';

/** What the API server uses when its configuration names none, and the most that it takes; milliseconds. */
const DEFAULT_MS = 10_000;
const MAX_MS = 30_000;
/** For the way of the answer back to the caller. */
const MIN_MARGIN_MS = 50;
const MARGIN = 0.05;

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds that a decision may take, by the `timeout` parameter of the query (a Go duration); 10 s where it is unreadable. */
export const timeoutOf: (query: string) => number = remember(readTimeout, 64);

function readTimeout(query: string): number {
  const asked = query === '' ? undefined : parseGoDuration(new URLSearchParams(query).get('timeout') ?? '');
  const whole = asked === undefined || asked <= 0 ? DEFAULT_MS : Math.min(asked, MAX_MS);
  // A caller that waits for less than the margin is still answered as soon as can be.
  return whole - Math.min(Math.max(MIN_MARGIN_MS, whole * MARGIN), whole / 2);
}

function parseGoDuration(text: string): number | undefined {
  if (!/^(?:\d{1,15}(?:\.\d{1,15})?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  return total;
}
