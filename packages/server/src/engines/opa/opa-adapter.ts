import type { GuestAdapter } from '../../wasm/guest-adapter.ts';
import type { ImportInfo } from '../../wasm/module-info.ts';
import { ADAPTER_MODULE } from './adapter-module.ts';
import { READER_MODULE } from './reader-module.ts';

/** Entries of the adapter, in the order in which they are called; the last one once for each review. */
export const ENTRY = { describe: 'describe', probe: 'probe', load: 'load', evaluate: 'evaluate' } as const;

/** By their place in the adapter's table; see packages/server/assembly/opa-adapter/adapter.wat. */
const CALLS = [
  'opa_malloc',
  'opa_value_dump',
  'opa_value_parse',
  'opa_json_parse',
  'opa_json_dump',
  'opa_heap_ptr_get',
  'opa_heap_ptr_set',
  'opa_eval',
  'opa_eval_ctx_new',
  'opa_eval_ctx_set_input',
  'opa_eval_ctx_set_data',
  'opa_eval_ctx_set_entrypoint',
  'eval',
  'opa_eval_ctx_get_result',
  'builtins',
  'entrypoints',
  'read',
  'isAlike',
  'lengthOf',
];

const IMPORTS = ['length', 'write', 'read', 'call', 'prove'];

let adapter: GuestAdapter | undefined;

/** Compiled once on each thread, when the first module of this dialect is run. */
export function opaAdapter(): GuestAdapter {
  adapter ??= {
    module: compile(ADAPTER_MODULE),
    within: compile(READER_MODULE),
    imports: IMPORTS.map((name): ImportInfo => ({ module: 'host', name, kind: 'function' })),
    offers: 'env',
    calls: CALLS,
  };
  return adapter;
}

function compile(base64: string): WebAssembly.Module {
  return new WebAssembly.Module(Buffer.from(base64, 'base64'));
}
