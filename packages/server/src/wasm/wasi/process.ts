import { hostFunction, type HostCall, type HostFunction } from '../host-interface.ts';
import { ERRNO } from './errno.ts';
import type { WasiContext } from './wasi-context.ts';

type Table = Readonly<Record<string, HostFunction<WasiContext>>>;

const I32_2 = ['i32', 'i32'] as const;

/** More in one call is refused. */
const MAX_RANDOM_BYTES = 1 << 20;
/** A random byte takes about 1 ns. */
const RANDOM_FUEL = 10;

/** Lists without elements: how many there are and how many bytes they take. */
function emptySizes(call: HostCall<WasiContext>, countAt: number, bytesAt: number): number {
  const { memory } = call;
  const zero = new Uint8Array(4);
  return memory.write(countAt, zero) && memory.write(bytesAt, zero) ? ERRNO.success : ERRNO.fault;
}

export const PROCESS_FUNCTIONS: Table = {
  args_get: hostFunction(I32_2, ['i32'], () => ERRNO.success),
  args_sizes_get: hostFunction(I32_2, ['i32'], emptySizes),
  environ_get: hostFunction(I32_2, ['i32'], () => ERRNO.success),
  environ_sizes_get: hostFunction(I32_2, ['i32'], emptySizes),
  proc_exit: hostFunction(['i32'], [], (call, code) => call.exit(code)),
  proc_raise: hostFunction(['i32'], ['i32'], () => ERRNO.nosys),
  sched_yield: hostFunction([], ['i32'], () => ERRNO.success),
  random_get: hostFunction(I32_2, ['i32'], (call, pointer, length) => {
    if (length < 0 || length > MAX_RANDOM_BYTES) return ERRNO.inval;
    const target = call.memory.view(pointer, length);
    if (target === undefined) return ERRNO.fault;
    call.pay(length * RANDOM_FUEL);
    call.context.wasi.random(target);
    return ERRNO.success;
  }),
};
