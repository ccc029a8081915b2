/**
 * The imports of waPC. The compiler takes the name of this file for the name of the module that they are imported from.
 */

/** Writes the name of the operation and its document; their lengths were arguments of `__guest_call`. */
export declare function __guest_request(operation: usize, payload: usize): void;

/** Makes these bytes the answer. */
export declare function __guest_response(pointer: usize, length: i32): void;

/** Makes this UTF-8 the error. */
export declare function __guest_error(pointer: usize, length: i32): void;

/** Asks the host; the eight are pointers and lengths of binding, namespace, operation and document. True when it answered. */
export declare function __host_call(
  binding: usize,
  bindingLength: i32,
  namespace: usize,
  namespaceLength: i32,
  operation: usize,
  operationLength: i32,
  payload: usize,
  payloadLength: i32,
): bool;

export declare function __host_response_len(): i32;

/** Writes the answer of the host. */
export declare function __host_response(pointer: usize): void;

export declare function __host_error_len(): i32;

/** Writes why the host did not answer, in UTF-8. */
export declare function __host_error(pointer: usize): void;
