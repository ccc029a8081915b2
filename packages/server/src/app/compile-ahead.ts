import { setFlagsFromString } from 'node:v8';

/**
 * From now on modules are compiled as a whole when they are loaded, on V8's own threads. Otherwise V8 compiles each function in
 * the first call of it, on the gate thread and while everything else waits there: 24 ms for a module of 1.6 MB, 87 ms for one
 * that is as hard to compile as modules may be. For the whole process; before the first module is compiled.
 */
export function compileAhead(): void {
  setFlagsFromString('--no-wasm-lazy-compilation');
}
