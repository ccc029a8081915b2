import { getRandomValues } from 'node:crypto';
import type { GuestMemory } from '../guest-memory.ts';
import type { HostCall, HostFunction, HostInterface } from '../host-interface.ts';
import type { FunctionType } from '../module-info.ts';
import type { WasiContext } from './wasi-context.ts';
import { ERRNO } from './wasi-errno.ts';
import { fdRead, fdWrite } from './wasi-streams.ts';
import { pollOneoff } from './wasi-poll.ts';

type Call = HostCall<WasiContext>;

/** Bytes of randomness for one call. */
const MAX_RANDOM_BYTES = 65_536;

const I32 = 'i32';
const I64 = 'i64';

function type(...params: readonly string[]): FunctionType {
  return { params, results: [I32] };
}

/** A function that a policy may import but that has nothing to work on: no files, no sockets. */
function refused(errno: number, ...params: readonly string[]): HostFunction<WasiContext> {
  return { type: type(...params), call: () => errno };
}

/** WASI preview 1 for guests without a world: three streams, clocks and randomness. */
export const WASI_HOST: HostInterface<WasiContext> = {
  wasi_snapshot_preview1: {
    args_get: { type: type(I32, I32), call: () => ERRNO.success },
    args_sizes_get: { type: type(I32, I32), call: twoZeros },
    environ_get: { type: type(I32, I32), call: () => ERRNO.success },
    environ_sizes_get: { type: type(I32, I32), call: twoZeros },

    clock_res_get: {
      type: type(I32, I32),
      call: ({ memory }: Call, _id: number, result: number) => writeU64(memory, result, 1_000n),
    },
    clock_time_get: {
      type: type(I32, I64, I32),
      call: ({ memory, context }: Call, id: number, _precision: bigint, result: number) =>
        writeU64(memory, result, nanoseconds(id === 0 ? context.clock.wall() : context.clock.now())),
    },
    random_get: {
      type: type(I32, I32),
      call: ({ memory }: Call, pointer: number, length: number) => {
        if (length >>> 0 > MAX_RANDOM_BYTES) return ERRNO.inval;
        const target = memory.view(pointer >>> 0, length >>> 0);
        if (target === undefined) return ERRNO.fault;
        // The window is of a memory that may be larger than what this call accepts: fill a buffer of its size.
        target.set(getRandomValues(new Uint8Array(target.length)));
        return ERRNO.success;
      },
    },
    proc_exit: {
      type: { params: [I32], results: [] },
      call: (call: Call, code: number) => call.exit(code),
    },
    sched_yield: { type: type(), call: () => ERRNO.success },
    poll_oneoff: { type: type(I32, I32, I32, I32), wait: pollOneoff },

    fd_read: { type: type(I32, I32, I32, I32), call: fdRead },
    fd_write: { type: type(I32, I32, I32, I32), call: fdWrite },
    fd_fdstat_get: {
      type: type(I32, I32),
      call: ({ memory }: Call, fd: number, result: number) => {
        if (fd < 0 || fd > 2) return ERRNO.badf;
        // filetype character_device, no flags; rights: fd_read for 0, fd_write for 1 and 2.
        const stat = Buffer.alloc(24);
        stat[0] = 2;
        stat.writeBigUInt64LE(fd === 0 ? 2n : 64n, 8);
        return memory.write(result >>> 0, stat) ? ERRNO.success : ERRNO.fault;
      },
    },
    fd_close: {
      type: type(I32),
      call: (_call: Call, fd: number) => (fd >= 0 && fd <= 2 ? ERRNO.success : ERRNO.badf),
    },
    fd_seek: {
      type: type(I32, I64, I32, I32),
      call: (_call: Call, fd: number) => (fd >= 0 && fd <= 2 ? ERRNO.spipe : ERRNO.badf),
    },
    fd_prestat_get: refused(ERRNO.badf, I32, I32),
    fd_prestat_dir_name: refused(ERRNO.badf, I32, I32, I32),

    fd_advise: refused(ERRNO.badf, I32, I64, I64, I32),
    fd_allocate: refused(ERRNO.badf, I32, I64, I64),
    fd_datasync: refused(ERRNO.badf, I32),
    fd_fdstat_set_flags: refused(ERRNO.badf, I32, I32),
    fd_fdstat_set_rights: refused(ERRNO.badf, I32, I64, I64),
    fd_filestat_get: refused(ERRNO.badf, I32, I32),
    fd_filestat_set_size: refused(ERRNO.badf, I32, I64),
    fd_filestat_set_times: refused(ERRNO.badf, I32, I64, I64, I32),
    fd_pread: refused(ERRNO.badf, I32, I32, I32, I64, I32),
    fd_pwrite: refused(ERRNO.badf, I32, I32, I32, I64, I32),
    fd_readdir: refused(ERRNO.badf, I32, I32, I32, I64, I32),
    fd_renumber: refused(ERRNO.badf, I32, I32),
    fd_sync: refused(ERRNO.badf, I32),
    fd_tell: refused(ERRNO.badf, I32, I32),
    path_create_directory: refused(ERRNO.notcapable, I32, I32, I32),
    path_filestat_get: refused(ERRNO.notcapable, I32, I32, I32, I32, I32),
    path_filestat_set_times: refused(ERRNO.notcapable, I32, I32, I32, I32, I64, I64, I32),
    path_link: refused(ERRNO.notcapable, I32, I32, I32, I32, I32, I32, I32),
    path_open: refused(ERRNO.notcapable, I32, I32, I32, I32, I32, I64, I64, I32, I32),
    path_readlink: refused(ERRNO.notcapable, I32, I32, I32, I32, I32, I32),
    path_remove_directory: refused(ERRNO.notcapable, I32, I32, I32),
    path_rename: refused(ERRNO.notcapable, I32, I32, I32, I32, I32, I32),
    path_symlink: refused(ERRNO.notcapable, I32, I32, I32, I32, I32),
    path_unlink_file: refused(ERRNO.notcapable, I32, I32, I32),
    proc_raise: refused(ERRNO.nosys, I32),
    sock_accept: refused(ERRNO.badf, I32, I32, I32),
    sock_recv: refused(ERRNO.badf, I32, I32, I32, I32, I32, I32),
    sock_send: refused(ERRNO.badf, I32, I32, I32, I32, I32),
    sock_shutdown: refused(ERRNO.badf, I32, I32),
  },
};

/** No arguments and no environment: zero entries in zero bytes. */
function twoZeros({ memory }: Call, count: number, bytes: number): number {
  const zero = new Uint8Array(4);
  return memory.write(count >>> 0, zero) && memory.write(bytes >>> 0, zero) ? ERRNO.success : ERRNO.fault;
}

function writeU64(memory: GuestMemory, pointer: number, value: bigint): number {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return memory.write(pointer >>> 0, bytes) ? ERRNO.success : ERRNO.fault;
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.floor(ms * 1000)) * 1000n;
}
