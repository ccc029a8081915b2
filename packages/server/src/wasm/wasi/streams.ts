import { hostFunction, type HostCall, type HostFunction } from '../host-interface.ts';
import { ERRNO } from './errno.ts';
import type { InputStream, OutputStream, WasiContext } from './wasi-context.ts';

type Table = Readonly<Record<string, HostFunction<WasiContext>>>;

const FD = { stdin: 0, stdout: 1, stderr: 2 } as const;
/** As IOV_MAX elsewhere: a guest cannot make the host walk a list as long as its memory. */
const MAX_VECTORS = 1024;
const VECTOR_BYTES = 8;
/** Rights to read and to write. */
const RIGHT = { read: 1n << 1n, write: 1n << 6n } as const;

/** The buffers of a list of pointers and lengths; an error number when the list cannot be used. */
function vectors(call: HostCall<WasiContext>, pointer: number, count: number): Uint8Array[] | number {
  if (count < 0 || count > MAX_VECTORS) return ERRNO.inval;
  const list = call.memory.view(pointer, count * VECTOR_BYTES);
  if (list === undefined) return ERRNO.fault;
  const view = new DataView(list.buffer, list.byteOffset, list.length);
  const buffers: Uint8Array[] = [];
  for (let at = 0; at < list.length; at += VECTOR_BYTES) {
    const buffer = call.memory.view(view.getUint32(at, true), view.getUint32(at + 4, true));
    if (buffer === undefined) return ERRNO.fault;
    buffers.push(buffer);
  }
  return buffers;
}

/** Fills the buffers; returns the number of bytes, 0 at the end. */
function readInto(stream: InputStream, buffers: readonly Uint8Array[]): number {
  let total = 0;
  for (const buffer of buffers) {
    for (let at = 0; at < buffer.length;) {
      const piece = stream.pieces[stream.piece];
      if (piece === undefined) return total;
      const part = piece.subarray(stream.offset, stream.offset + buffer.length - at);
      buffer.set(part, at);
      at += part.length;
      total += part.length;
      stream.offset += part.length;
      if (stream.offset < piece.length) continue;
      stream.piece++;
      stream.offset = 0;
    }
  }
  return total;
}

function writeFrom(stream: OutputStream, buffers: readonly Uint8Array[]): number | undefined {
  let total = 0;
  for (const buffer of buffers) {
    if (!stream.take(buffer)) return undefined;
    total += buffer.length;
  }
  return total;
}

function writeU32({ memory }: HostCall<WasiContext>, pointer: number, value: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return memory.write(pointer, bytes) ? ERRNO.success : ERRNO.fault;
}

const isStream = (fd: number): boolean => fd === FD.stdin || fd === FD.stdout || fd === FD.stderr;
/** What only files can do. */
const refuseStream = (fd: number, errno: number): number => (isStream(fd) ? errno : ERRNO.badf);

const IO = ['i32', 'i32', 'i32', 'i32'] as const;

export const STREAM_FUNCTIONS: Table = {
  fd_read: hostFunction(IO, ['i32'], (call, fd, ...[list, count, readAt]) => {
    if (fd !== FD.stdin) return ERRNO.badf;
    const buffers = vectors(call, list, count);
    if (typeof buffers === 'number') return buffers;
    return writeU32(call, readAt, readInto(call.context.wasi.stdin, buffers));
  }),

  fd_write: hostFunction(IO, ['i32'], (call, fd, ...[list, count, writtenAt]) => {
    if (fd !== FD.stdout && fd !== FD.stderr) return ERRNO.badf;
    const buffers = vectors(call, list, count);
    if (typeof buffers === 'number') return buffers;
    const { stdout, stderr } = call.context.wasi;
    const written = writeFrom(fd === FD.stdout ? stdout : stderr, buffers);
    return written === undefined ? ERRNO.fbig : writeU32(call, writtenAt, written);
  }),

  // Neither file nor terminal, so that guests do not write byte by byte.
  fd_fdstat_get: hostFunction(['i32', 'i32'], ['i32'], (call, fd, pointer) => {
    if (!isStream(fd)) return ERRNO.badf;
    const bytes = new Uint8Array(24);
    new DataView(bytes.buffer).setBigUint64(8, fd === FD.stdin ? RIGHT.read : RIGHT.write, true);
    return call.memory.write(pointer, bytes) ? ERRNO.success : ERRNO.fault;
  }),

  fd_filestat_get: hostFunction(['i32', 'i32'], ['i32'], (call, fd, pointer) => {
    if (!isStream(fd)) return ERRNO.badf;
    return call.memory.write(pointer, new Uint8Array(64)) ? ERRNO.success : ERRNO.fault;
  }),

  fd_fdstat_set_flags: hostFunction(['i32', 'i32'], ['i32'], (_call, fd) => refuseStream(fd, ERRNO.success)),
  fd_close: hostFunction(['i32'], ['i32'], (_call, fd) => refuseStream(fd, ERRNO.success)),
  fd_sync: hostFunction(['i32'], ['i32'], (_call, fd) => refuseStream(fd, ERRNO.inval)),
  fd_datasync: hostFunction(['i32'], ['i32'], (_call, fd) => refuseStream(fd, ERRNO.inval)),
  fd_tell: hostFunction(['i32', 'i32'], ['i32'], (_call, fd) => refuseStream(fd, ERRNO.spipe)),
  fd_seek: hostFunction(['i32', 'i64', 'i32', 'i32'], ['i32'], (_call, fd) => refuseStream(fd, ERRNO.spipe)),
};
