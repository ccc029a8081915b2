import {
  hostFunction,
  type HostCall,
  type HostFunction,
  type HostInterface,
} from '../../wasm/host-interface.ts';
import { ERRNO } from '../../wasm/wasi/errno.ts';
import { WASI_HOST } from '../../wasm/wasi/wasi-host.ts';
import type { KubewardenCall } from './kubewarden-call.ts';
import { HOST_CALL_TYPE, hostCall, misused, WAPC_FUNCTIONS } from './wapc-host.ts';

type Table = Readonly<Record<string, HostFunction<KubewardenCall>>>;
type Call = HostCall<KubewardenCall>;

const I32_2 = ['i32', 'i32'] as const;
const POINTER_BYTES = 4;

function argumentBytes({ context }: Call): readonly Uint8Array[] {
  return context.args.map((arg) => Buffer.from(`${arg}\0`));
}

function u32(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * POINTER_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * POINTER_BYTES, value, true);
  return bytes;
}

/** The one thing that programs are told by arguments is what to do. */
const ARGUMENTS: Table = {
  args_sizes_get: hostFunction(I32_2, ['i32'], (call, countAt, bytesAt) => {
    const all = argumentBytes(call);
    const bytes = all.reduce((sum, { length }) => sum + length, 0);
    const isWritten =
      call.memory.write(countAt, u32([all.length])) && call.memory.write(bytesAt, u32([bytes]));
    return isWritten ? ERRNO.success : ERRNO.fault;
  }),
  args_get: hostFunction(I32_2, ['i32'], (call, listAt, bytesAt) => {
    const all = argumentBytes(call);
    const starts: number[] = [];
    let at = bytesAt >>> 0;
    for (const { length } of all) {
      starts.push(at);
      at += length;
    }
    const isWritten =
      call.memory.write(listAt, u32(starts)) && call.memory.write(bytesAt, Buffer.concat(all));
    return isWritten ? ERRNO.success : ERRNO.fault;
  }),
};

const WASI: Table = { ...WASI_HOST.wasi_snapshot_preview1, ...ARGUMENTS };
const NOT_THERE = { call: () => ERRNO.nosys };

/** Older guests; where records have another layout than today there is nothing. */
const OLD_WASI: Table = {
  ...WASI,
  fd_filestat_get: { ...hostFunction(I32_2, ['i32'], () => ERRNO.nosys) },
  poll_oneoff: { type: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] }, ...NOT_THERE },
};

/** What a piece takes beside its bytes. */
const PIECE_BYTES = 256;

function append(call: Call, piece: Uint8Array): void {
  const { context } = call;
  context.inputLeft -= piece.length + PIECE_BYTES;
  if (context.inputLeft < 0) misused(call, 'it asked the host for more than it may hold');
  context.input.push(piece);
}

/** As waPC's, but 0 is success, and the answer or the error goes to the end of standard input. */
const PROGRAM_HOST_CALL: HostFunction<KubewardenCall> = {
  type: HOST_CALL_TYPE,
  async callAsync(call, ...args) {
    const answer = await hostCall(call, 'host.call', args);
    append(call, typeof answer === 'string' ? Buffer.from(answer) : answer);
    return typeof answer === 'string' ? 1 : 0;
  },
};

const MAX_ABORT_TEXT = 1000;

/** A string of AssemblyScript: UTF-16, with its length in bytes before it. */
function assemblyScriptText({ memory }: Call, pointer: number): string {
  if (pointer >>> 0 < POINTER_BYTES) return '';
  const head = memory.view((pointer >>> 0) - POINTER_BYTES, POINTER_BYTES);
  if (head === undefined) return '';
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  const text = memory.view(pointer, Math.min(length, 2 * MAX_ABORT_TEXT) & ~1);
  return text === undefined ? '' : Buffer.from(text).toString('utf16le').toWellFormed();
}

/** Everything that a module of either mode may import. */
export const KUBEWARDEN_HOST: HostInterface<KubewardenCall> = {
  wapc: WAPC_FUNCTIONS,
  host: { call: PROGRAM_HOST_CALL },
  'kubewarden:javy/host': { call: PROGRAM_HOST_CALL },
  wasi_snapshot_preview1: WASI,
  wasi_unstable: OLD_WASI,
  env: {
    abort: {
      type: { params: ['i32', 'i32', 'i32', 'i32'], results: [] },
      call: (call, ...[message = 0, file = 0, line = 0, column = 0]) => {
        const what = assemblyScriptText(call, message) || 'without a message';
        const where = assemblyScriptText(call, file) || '?';
        return misused(call, `it aborted: ${what} at ${where}:${line}:${column}`);
      },
    },
  },
};
