import { wat } from '../../wasm-instrument/support/wat.ts';
import { watBytes } from '../contract/wat-bytes.ts';

export const PAGES = 80;
export const OUTSIDE = PAGES * 65_536;
/** Where the names of builtins and entry points lie, and the end of what lies there. */
const BUILTINS = 60_000;
const ENTRYPOINTS = 62_000;
const HEAP = 65_536;

export interface OpaGuest {
  /** At 0, with a NUL behind it. */
  readonly data?: Uint8Array | string;
  /** Of `opa_eval`: leaves the address of the answer. Locals: 3 is the input, 4 its length. */
  readonly evaluate: string;
  readonly builtins?: string;
  readonly entrypoints?: string;
  /** Exports by name in place of those that are there; an empty text for none. */
  readonly exports?: Readonly<Record<string, string>>;
  readonly imports?: string;
}

/** A module that has what OPA's have, and does nothing of it: values are the addresses of their texts. */
export function opaGuest({ data = '', evaluate, ...rest }: OpaGuest): Uint8Array {
  const { builtins = '{}', entrypoints = '{"p/main":0}', imports = '', exports = {} } = rest;
  const own: Readonly<Record<string, string>> = {
    opa_malloc: `(param i32) (result i32) (local i32)
      (local.set 1 (global.get $heap)) (global.set $heap (i32.add (global.get $heap) (local.get 0))) (local.get 1)`,
    opa_json_parse: '(param i32 i32) (result i32) (local.get 0)',
    opa_value_parse: '(param i32 i32) (result i32) (local.get 0)',
    opa_json_dump: '(param i32) (result i32) (local.get 0)',
    opa_value_dump: '(param i32) (result i32) (local.get 0)',
    opa_heap_ptr_get: '(result i32) (global.get $heap)',
    opa_heap_ptr_set: '(param i32) (global.set $heap (local.get 0))',
    opa_eval_ctx_new: '(result i32) (i32.const 1)',
    builtins: `(result i32) (i32.const ${BUILTINS})`,
    entrypoints: `(result i32) (i32.const ${ENTRYPOINTS})`,
    opa_eval: `(param i32 i32 i32 i32 i32 i32 i32) (result i32) ${evaluate}`,
    ...exports,
  };
  const functions = Object.entries(own)
    .filter(([, body]) => body !== '')
    .map(([name, body]) => `(func (export "${name}") ${body})`);
  return wat(`(module
    (import "env" "opa_abort" (func $abort (param i32)))
    (import "env" "opa_println" (func $println (param i32)))
    (import "env" "opa_builtin0" (func $builtin0 (param i32 i32) (result i32)))
    (import "env" "opa_builtin1" (func $builtin1 (param i32 i32 i32) (result i32)))
    (import "env" "opa_builtin4" (func $builtin4 (param i32 i32 i32 i32 i32 i32) (result i32)))
    ${imports}
    (import "env" "memory" (memory ${PAGES}))
    (global $heap (mut i32) (i32.const ${HEAP}))
    (data (i32.const 0) "${watBytes(Buffer.from(data))}\\00")
    (data (i32.const ${BUILTINS}) "${watBytes(Buffer.from(builtins))}\\00")
    (data (i32.const ${ENTRYPOINTS}) "${watBytes(Buffer.from(entrypoints))}\\00")
    ${functions.join('\n')})`);
}
