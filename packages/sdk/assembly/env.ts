/**
 * The imports of the plugin ABI. The compiler takes the name of this file for the name of the module that they are
 * imported from.
 */

/** Bytes of the input. */
export declare function get_input_len(): i32;

/** Copies the first `length` bytes of the input to `pointer`; how many, or -1 when the memory does not hold them. */
export declare function read_input(pointer: usize, length: i32): i32;

/** Makes these bytes the whole output; 0, or -1 when they are too many or not there. */
export declare function write_output(pointer: usize, length: i32): i32;

/** One line of UTF-8 for the debug log. */
export declare function log_message(pointer: usize, length: i32): void;
