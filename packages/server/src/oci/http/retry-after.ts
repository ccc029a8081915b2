/** Longer waits are taken for this one, so that a wrong header does not close a registry for good. */
const MOST = 10 * 60_000;

/** Milliseconds of `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). Undefined when it says nothing. */
export function retryAfter(header: string | undefined, wall: number): number | undefined {
  if (header === undefined) return undefined;
  const milliseconds = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - wall;
  return Number.isNaN(milliseconds) ? undefined : Math.min(Math.max(milliseconds, 0), MOST);
}
