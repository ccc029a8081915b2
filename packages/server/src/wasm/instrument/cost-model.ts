/**
 * What pays how much. The costs of single instructions stand beside them in `binary/opcodes.ts`, by the classes of
 * `binary/weights.ts`; here is what depends on sizes, and the arithmetic's bounds.
 *
 * Fuel is an i32 and cannot wrap:
 *   grants are at most 2^30 (the runtime's slices), so fuel is at most 2^30 after a check (it was negative before the grant);
 *   one sized payment is at most 2^28 (pages: 65,536 * 4096; bytes: 2^32 / 16) or 10^7 * 8 < 2^27 (elements).
 */
export const SIZE_COST = {
  /** A page that `memory.grow` adds: 64 KiB of zeros, at the price of `memory.fill`. */
  page: 4096,
  /** `memory.fill`, `copy`, `init` pay one for 2^4 bytes. */
  bytesShift: 4,
  /** `table.fill`, `copy`, `init`, `grow`. */
  element: 8,
} as const;

/** No memory is larger than 4 GiB, whatever it declares. */
export const MAX_PAGES = 65_536;

/** V8's own limit. */
export const MAX_TABLE = 10_000_000;

/** A call's own share of the entry, and one for every 2^2 declared locals, which V8 sets to zero. */
export const ENTRY_FUEL = { call: 1, localsShift: 2 } as const;

/** Calling a function of the host's: the way out of V8's compiled code and back. What the host does there is its own matter. */
export const IMPORT_FUEL = 256;

export const LIMIT = {
  /**
   * Ways that part may differ by so much before the dearer one pays for itself. 0 pays for the way taken to the unit, more
   * means fewer payments; with 6 the example policies use 5 to 13 % more fuel than with 0 and run a few percent faster.
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
