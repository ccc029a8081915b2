/** Values as OPA keeps them in memory (wasm/src/value.h of its sources). Pointers and sizes are four bytes. */

/** First byte of each. */
export const NULL: u32 = 1;
export const BOOLEAN: u32 = 2;
export const NUMBER: u32 = 3;
export const STRING: u32 = 4;
export const ARRAY: u32 = 5;
export const OBJECT: u32 = 6;
/** Part of the module, and in no block. */
export const BOOLEAN_INTERNED: u32 = 9;

/** Second byte of a boolean, of a number (how it is kept), and of a string (its text is a block of its own). */
export const DETAIL: usize = 1;
export const INTEGER: u32 = 1;
export const TEXT: u32 = 2;

/** The integer, or the text with its length and whether it is a block of its own. */
export const NUMBER_INTEGER: usize = 8;
export const NUMBER_TEXT: usize = 8;
export const NUMBER_LENGTH: usize = 12;
export const NUMBER_OWNS: usize = 16;

export const STRING_LENGTH: usize = 4;
export const STRING_TEXT: usize = 8;

/** Elements are an index, which is a number, and a value. */
export const ARRAY_ELEMENTS: usize = 4;
export const ARRAY_LENGTH: usize = 8;
export const ARRAY_CAPACITY: usize = 12;
export const FIRST_CAPACITY: u32 = 10;

/** A bucket is a list of elements in the order of their keys. There are a power of two of them. */
export const OBJECT_BUCKETS: usize = 4;
export const OBJECT_COUNT: usize = 8;
export const OBJECT_LENGTH: usize = 12;
export const FIRST_BUCKETS: u32 = 8;

export const ELEMENT_KEY: usize = 0;
export const ELEMENT_VALUE: usize = 4;
export const ELEMENT_NEXT: usize = 8;
/** Behind the element there is room in its block. */
export const ELEMENT_HASH: usize = 12;

/** Sizes of blocks. */
export const FLAG_BLOCK: u32 = 4;
export const NUMBER_BLOCK: u32 = 64;
export const STRING_BLOCK: u32 = 16;
export const ARRAY_BLOCK: u32 = 16;
export const OBJECT_BLOCK: u32 = 16;
export const ELEMENT_BLOCK: u32 = 16;
