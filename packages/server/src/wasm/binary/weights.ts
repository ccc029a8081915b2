/**
 * Fuel of one instruction by class; the classes stand beside the instructions in `opcodes.ts`. One unit is about one simple
 * machine instruction; what V8 does in a call of its own runtime weighs what it was measured to take.
 */
export const WEIGHT = {
  /** Structure: no code is made for it. */
  nothing: 0,
  one: 1,
  /** Divisions, roots, jump tables. */
  slow: 4,
  call: 2,
  indirect: 6,
  /** Reading and writing an element; a write updates V8's dispatch table. */
  table: 32,
  /** The first reference to a function makes an object. */
  reference: 32,
  /** Start of an operation on a range, before what it pays by size. */
  bulk: 16,
  /** Throwing makes an object and walks the stack. */
  exception: 1024,
  growth: 1024,
} as const;
