import { wapc } from '../../packages/server/test/engines/kubewarden/support/guest-wat.ts';
import { opaGuest } from '../../packages/server/test/engines/opa/opa-guest.ts';
import { wat } from '../../packages/server/test/wasm-instrument/support/wat.ts';

/** One of each dialect, whose every evaluation loops. */
export const ENDLESS_MODULES = {
  plugin: () =>
    wat(`(module
      (import "env" "read_input" (func (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "validate") (result i32) (loop (br 0)) (i32.const 0)))`),
  wasi: () =>
    wat(`(module
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (memory (export "memory") 1)
      (func (export "validate") (loop (br 0))))`),
  kubewarden: () => wapc('(loop (br 0)) (unreachable)'),
  opa: () => opaGuest({ evaluate: '(loop (br 0)) (i32.const 0)' }),
} as const satisfies Readonly<Record<string, () => Uint8Array>>;

export type EndlessEngine = keyof typeof ENDLESS_MODULES;
