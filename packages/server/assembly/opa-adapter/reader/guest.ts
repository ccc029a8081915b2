/** What the reader has of the guest that it works for. The compiler takes the name of this file for the name of their module. */

/** What the guest has left to pay with; see src/wasm/instrumented.ts. */
export declare let fuel: i32;
/** Asks for more, and may suspend the guest meanwhile; below zero it is a refusal. */
export declare function refill(deficit: i32): i32;

export declare function opa_malloc(size: u32): u32;
export declare function opa_heap_ptr_get(): u32;
export declare function opa_heap_ptr_set(address: u32): void;
export declare function opa_json_parse(text: u32, size: u32): u32;
