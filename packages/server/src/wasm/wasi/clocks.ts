import { hostFunction, type HostCall, type HostFunction } from '../host-interface.ts';
import { ERRNO } from './errno.ts';
import type { WasiContext, WasiState } from './wasi-context.ts';

type Table = Readonly<Record<string, HostFunction<WasiContext>>>;

const CLOCK = { realtime: 0, monotonic: 1 } as const;
const RESOLUTION_NS = 1000n;

/** Nanoseconds; undefined for clocks that there are not, such as those of processor time. */
function readClock({ clock }: WasiState, id: number): bigint | undefined {
  if (id === CLOCK.realtime) return BigInt(clock.wall()) * 1_000_000n;
  if (id === CLOCK.monotonic) return BigInt(Math.floor(clock.now() * 1e6));
  return undefined;
}

function writeU64({ memory }: HostCall<WasiContext>, pointer: number, value: bigint): number {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return memory.write(pointer, bytes) ? ERRNO.success : ERRNO.fault;
}

/*
 * subscription, 48 bytes:  0 userdata u64 │ 8 tag u8 │ clock: 16 id u32, 24 timeout u64, 32 precision u64, 40 flags u16
 * event, 32 bytes:         0 userdata u64 │ 8 errno u16 │ 10 type u8 │ 16 bytes available u64 │ 24 flags u16
 */
const SUBSCRIPTION = { size: 48, tag: 8, clock: 16, timeout: 24, flags: 40 } as const;
const EVENT = { size: 32, errno: 8, type: 10 } as const;
const TAG_CLOCK = 0;
const ABSOLUTE = 1;
const MAX_SUBSCRIPTIONS = 64;
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  /** Milliseconds from now; 0 for what is ready or unknown. */
  readonly ms: number;
  readonly errno: number;
}

function readSubscription(state: WasiState, view: DataView, at: number): Subscription {
  const userdata = view.getBigUint64(at, true);
  const type = view.getUint8(at + SUBSCRIPTION.tag);
  if (type !== TAG_CLOCK) return { userdata, type, ms: 0, errno: ERRNO.success };
  const now = readClock(state, view.getUint32(at + SUBSCRIPTION.clock, true));
  if (now === undefined) return { userdata, type, ms: 0, errno: ERRNO.inval };
  const timeout = view.getBigUint64(at + SUBSCRIPTION.timeout, true);
  const isAbsolute = (view.getUint16(at + SUBSCRIPTION.flags, true) & ABSOLUTE) !== 0;
  const wait = isAbsolute ? timeout - now : timeout;
  const ms = wait <= 0n ? 0 : Math.min(Math.ceil(Number(wait) / 1e6), LONGEST_SLEEP_MS);
  return { userdata, type, ms, errno: ERRNO.success };
}

function encodeEvents(ready: readonly Subscription[]): Uint8Array {
  const bytes = new Uint8Array(ready.length * EVENT.size);
  const view = new DataView(bytes.buffer);
  for (const [index, { userdata, type, errno }] of ready.entries()) {
    const at = index * EVENT.size;
    view.setBigUint64(at, userdata, true);
    view.setUint16(at + EVENT.errno, errno, true);
    view.setUint8(at + EVENT.type, type);
  }
  return bytes;
}

interface Poll {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly countAt: number;
}

/** Waits for the first of its clocks. Streams are always ready: nothing here blocks. */
async function poll(call: HostCall<WasiContext>, { from, to, count, countAt }: Poll): Promise<number> {
  if (count <= 0 || count > MAX_SUBSCRIPTIONS) return ERRNO.inval;
  const { memory, deadline, context } = call;
  const source = memory.view(from, count * SUBSCRIPTION.size);
  if (source === undefined) return ERRNO.fault;
  const view = new DataView(source.buffer, source.byteOffset, source.length);
  const all = Array.from({ length: count }, (_, index) =>
    readSubscription(context.wasi, view, index * SUBSCRIPTION.size),
  );
  const first = Math.min(...all.map(({ ms }) => ms));
  // A sleep beyond the deadline is ended at the deadline; no timer of ours outlives it by much.
  const left = Math.max(0, deadline - context.wasi.clock.now());
  if (first > 0) await sleep(Math.min(first, left + 5));
  const events = encodeEvents(all.filter(({ ms }) => ms <= first));
  const written = new Uint8Array(4);
  new DataView(written.buffer).setUint32(0, events.length / EVENT.size, true);
  return memory.write(to, events) && memory.write(countAt, written) ? ERRNO.success : ERRNO.fault;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export const CLOCK_FUNCTIONS: Table = {
  clock_res_get: hostFunction(['i32', 'i32'], ['i32'], (call, id, pointer) =>
    readClock(call.context.wasi, id) === undefined ? ERRNO.inval : writeU64(call, pointer, RESOLUTION_NS),
  ),
  clock_time_get: hostFunction(['i32', 'i64', 'i32'], ['i32'], (call, id, _precision, pointer) => {
    const now = readClock(call.context.wasi, id);
    return now === undefined ? ERRNO.inval : writeU64(call, pointer, now);
  }),
  poll_oneoff: {
    type: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] },
    callAsync: (call, ...[from = 0, to = 0, count = 0, countAt = 0]) =>
      poll(call, { from, to, count, countAt }),
  },
};
