import type { GuestMemory } from '../guest-memory.ts';
import type { HostCall } from '../host-interface.ts';
import type { WasiContext } from './wasi-context.ts';
import { ERRNO } from './wasi-errno.ts';

type Call = HostCall<WasiContext>;

/** Bytes of standard error that one evaluation may write to the debug log. */
const MAX_STDERR_BYTES = 64 * 1024;
/** Vectors of one call: what POSIX promises as IOV_MAX. */
const MAX_VECTORS = 1024;

/**
 * The windows that a list of (pointer, length) pairs names.
 *
 *   0        4        8
 *   | pointer| length | … once for each vector
 */
function vectors(memory: GuestMemory, pointer: number, count: number): readonly Uint8Array[] | number {
  if (count >>> 0 > MAX_VECTORS) return ERRNO.inval;
  const list = memory.view(pointer >>> 0, (count >>> 0) * 8);
  if (list === undefined) return ERRNO.fault;
  const table = new DataView(list.buffer, list.byteOffset, list.byteLength);
  const windows: Uint8Array[] = [];
  for (let at = 0; at < table.byteLength; at += 8) {
    const window = memory.view(table.getUint32(at, true), table.getUint32(at + 4, true));
    if (window === undefined) return ERRNO.fault;
    windows.push(window);
  }
  return windows;
}

export function fdWrite(call: Call, fd: number, list: number, count: number, result: number): number {
  if (fd !== 1 && fd !== 2) return ERRNO.badf;
  const windows = vectors(call.memory, list, count);
  if (typeof windows === 'number') return windows;
  let written = 0;
  for (const window of windows) {
    if (fd === 1) call.context.stdout?.write(window);
    else logError(call.context, window);
    written += window.length;
  }
  return writeU32(call.memory, result, written);
}

export function fdRead(call: Call, fd: number, list: number, count: number, result: number): number {
  if (fd !== 0) return ERRNO.badf;
  const windows = vectors(call.memory, list, count);
  if (typeof windows === 'number') return windows;
  const { context } = call;
  let read = 0;
  for (const window of windows) {
    const copied = copyFrom(context.stdin ?? [], context.stdinBytes, window);
    context.stdinBytes += copied;
    read += copied;
    if (copied < window.length) break;
  }
  return writeU32(call.memory, result, read);
}

/** Copies from the concatenation of `pieces`, starting at `offset`, without making it. */
function copyFrom(pieces: readonly Uint8Array[], offset: number, target: Uint8Array): number {
  let skip = offset;
  let copied = 0;
  for (const piece of pieces) {
    if (copied === target.length) break;
    if (skip >= piece.length) {
      skip -= piece.length;
      continue;
    }
    const part = piece.subarray(skip, skip + target.length - copied);
    target.set(part, copied);
    copied += part.length;
    skip = 0;
  }
  return copied;
}

/** Diagnostics, not an answer: what goes beyond the cap is dropped. */
function logError(context: WasiContext, bytes: Uint8Array): void {
  const room = MAX_STDERR_BYTES - context.stderrBytes;
  if (room <= 0 || bytes.length === 0 || !context.log.enabled('debug')) return;
  const shown = bytes.subarray(0, room);
  context.stderrBytes += shown.length;
  context.log.log('debug', Buffer.from(shown).toString().trimEnd(), {
    policy: context.policy,
    stream: 'stderr',
  });
}

function writeU32(memory: GuestMemory, pointer: number, value: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return memory.write(pointer >>> 0, bytes) ? ERRNO.success : ERRNO.fault;
}
