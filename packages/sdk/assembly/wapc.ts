/**
 * The imports of waPC. The compiler takes the name of this file for the name of the module that they are imported from.
 */

/** Writes the name of the operation and its document; their lengths were arguments of `__guest_call`. */
export declare function __guest_request(operation: usize, payload: usize): void;

/** Makes these bytes the answer. */
export declare function __guest_response(pointer: usize, length: i32): void;

/** Makes this UTF-8 the error. */
export declare function __guest_error(pointer: usize, length: i32): void;
