/** `(module (func (export "t") unreachable))` */
const TRAPPING = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x74, 0, 0, 10, 5, 1, 3, 0, 0,
  0x0b,
]);

/**
 * An error that ends a guest when a host function throws it. Guests with exception handling catch what JavaScript throws, but
 * not traps, and V8 knows a trap by its error object, wherever it is thrown again: so this is the error of a real one.
 */
export function createUncatchable(): Error {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(TRAPPING));
  try {
    (exports['t'] as () => void)();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return error;
  }
  throw new TypeError('a trap did not throw a WebAssembly.RuntimeError');
}
