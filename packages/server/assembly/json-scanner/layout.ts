/**
 * The memory of the scanner, all of it static. Zeros follow the document: a zero stands in no token and is no blank, so that most
 * loops need not know where the document ends, and vectors may be loaded across its end.
 *
 *   RESULT    1 when some number is long, then one of REASON_…
 *   RANGES    start and end offset of each wanted member, -1 where absent
 *   NODES     the shape, as NODE_… say: children of a node are neighbours, the first node is the root; behind it the keys
 *   FRAMES    by depth, an open object or array, as FRAME_… say
 *   KEYS      by depth, the keys of the open object: PAIRWISE fingerprints, as many addresses, as many lengths
 *   INPUT     the document and PADDING zeros; the only part that grows
 */
export const RESULT: u32 = 0x0000;
export const RANGES: u32 = 0x0008;
export const NODES: u32 = 0x1000;
export const FRAMES: u32 = 0x4000;
export const KEYS: u32 = 0x8000;
export const INPUT: u32 = 0x40000;
export const PADDING: u32 = 64;

export const NODE_SLOT: usize = 0;
export const NODE_KEY: usize = 4;
export const NODE_KEY_LENGTH: usize = 8;
export const NODE_CHILD: usize = 12;
export const NODE_CHILDREN_END: usize = 16;
export const NODE_SIZE: u32 = 20;
export const NOTHING: u32 = 0;

export const FRAME_CLOSER: usize = 0;
export const FRAME_SLOT: usize = 4;
export const FRAME_NODE: usize = 8;
export const FRAME_KEYS: usize = 12;
export const FRAME_SIZE: u32 = 16;

/** Far above any real object, far below what recursion over the parsed value can bear. */
export const MAX_DEPTH: u32 = 512;
/** Up to this many keys are compared with each other; beyond it a hostile object would make that quadratic. */
export const PAIRWISE: u32 = 32;
export const KEY_ADDRESS: usize = 4 * PAIRWISE;
export const KEY_LENGTH: usize = 8 * PAIRWISE;
export const KEYS_SIZE: u32 = 12 * PAIRWISE;

export const REASON_GRAMMAR: u32 = 0;
export const REASON_DEPTH: u32 = 1;
export const REASON_DUPLICATE_KEY: u32 = 2;

/** Any number of so many characters without an exponent is exact in a double as far as decimal digits go. */
export const LONG_NUMBER: u32 = 15;
