import type { HostInterface } from '../host-interface.ts';
import { CLOCK_FUNCTIONS } from './clocks.ts';
import { PROCESS_FUNCTIONS } from './process.ts';
import { STREAM_FUNCTIONS } from './streams.ts';
import { UNAVAILABLE_FUNCTIONS } from './unavailable.ts';
import type { WasiContext } from './wasi-context.ts';

export type { WasiContext } from './wasi-context.ts';

/**
 * WASI preview 1, complete in names and types: clocks, random numbers, standard streams, exit. There are no arguments, no
 * environment, no files and no sockets.
 */
export const WASI_HOST = {
  wasi_snapshot_preview1: {
    ...UNAVAILABLE_FUNCTIONS,
    ...CLOCK_FUNCTIONS,
    ...STREAM_FUNCTIONS,
    ...PROCESS_FUNCTIONS,
  },
} as const satisfies HostInterface<WasiContext>;
