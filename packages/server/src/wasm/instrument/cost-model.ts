/**
 * What pays how much. The fuel of single instructions stands beside them in `binary/opcodes.ts`, by the classes of
 * `binary/weights.ts`; here is the rest. Prices follow what operations took in V8 14.6 beside plain code of about 0.1 ns a unit.
 *
 * Fuel is an i32 and cannot wrap:
 *
 *   above   A grant is at most 2^30 (the runtime's promise) and comes only while fuel is below 0: fuel stays below 2^30.
 *   below   Most payments check at once, and a check leaves fuel at 0 or more. Without a check
 *             a host function takes fuel down to -2^28 at the lowest (the runtime's promise);
 *             an activation pays at most `LIMIT.debt` = 2^12 before its next check. Activations that return one into the other
 *             add up, and V8's stack of 1 MiB has no room for 2^16 of them: 2^28 together.
 *           From there, above -2^29, one payment with a check takes at most
 *             2^21                          code (`LIMIT.charge` = 2^20 and one instruction more)
 *             2^28                          bytes (2^32 / 16) and pages (2^16 * 2^12)
 *             10^7 * 64 < 2^29.3            elements
 *           so fuel stays above -2^30.2, and its negative, which `refill` gets, is a positive i32.
 */
export const SIZE_COST = {
  /** A page that `memory.grow` adds: 64 KiB of zeros, at the price of `memory.fill`. */
  page: 4096,
  /** `memory.fill`, `copy`, `init` pay one unit for 2^4 bytes. */
  bytesShift: 4,
  /** `table.fill`, `copy`, `init`, `grow`: 10 to 45 ns an element. */
  element: 64,
} as const;

/** No memory is larger than 4 GiB, whatever it declares. */
export const MAX_PAGES = 65_536;

/** V8's own limit. */
export const MAX_TABLE = 10_000_000;

/**
 * A function's own share at its entry. Where exceptions can be caught, an activation pays in advance for being unwound, which
 * takes 150 ns: else throwing through deep recursion would be nearly free.
 */
export function entryFuel(catches: boolean): number {
  return catches ? 64 : 1;
}

/** One unit at the entry for every 2^2 parameters, results and locals: V8 moves them, or sets them to zero. */
export const SLOTS_SHIFT = 2;

/** Calling a function of the host's: the way out of compiled code and back. What the host does there is its own matter. */
export const IMPORT_FUEL = 256;

export const LIMIT = {
  /**
   * Ways that part may differ by so much before the dearer one pays for itself. With 0 the fuel is that of the way taken, to
   * the unit, for more code; with 6 the example policies use 5 to 13 % more fuel and run a few percent faster.
   */
  spread: 6,
  /** The dearest way through a function that its callers pay for. */
  prepaid: 40,
  /** Bytes of code of such a function. */
  prepaidBytes: 512,
  /** No station pays more for code at once. */
  charge: 1 << 20,
  /** What one activation of a function may pay without a check. */
  debt: 4096,
} as const;
