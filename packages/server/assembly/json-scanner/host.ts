/**
 * What the module asks of its host. The compiler takes the name of this file for the name of the module that they are imported
 * from.
 */

/** Writes the key between these addresses, quotes included, as `JSON.stringify` spells it, never longer; answers its new end. */
export declare function respell(start: u32, end: u32): u32;

/** Begins a set of keys for the object at this depth. */
export declare function widen(depth: u32): void;

/** Adds a key, quotes included, to the set at this depth; false when it is there already. */
export declare function addKey(depth: u32, start: u32, end: u32): bool;
