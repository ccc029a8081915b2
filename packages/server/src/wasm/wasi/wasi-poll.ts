import type { HostCall } from '../host-interface.ts';
import type { WasiContext } from './wasi-context.ts';
import { ERRNO } from './wasi-errno.ts';

/** Subscriptions of one call. */
const MAX_SUBSCRIPTIONS = 64;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;

/** Offsets inside a subscription: user data, tag, and for clocks id, timeout, precision, flags. */
const AT = { tag: 8, clock: 16, timeout: 24, flags: 40 } as const;
const CLOCK_TAG = 0;
const ABSOLUTE = 1;

/**
 * Waits for the earliest of the given clocks, suspended; streams are always ready. The guest's deadline ends the wait in
 * any case.
 */
export async function pollOneoff(
  { memory, context, deadline }: HostCall<WasiContext>,
  input: number,
  output: number,
  count: number,
  result: number,
): Promise<number> {
  const total = count >>> 0;
  if (total === 0 || total > MAX_SUBSCRIPTIONS) return ERRNO.inval;
  const list = memory.view(input >>> 0, total * SUBSCRIPTION_BYTES)?.slice();
  if (list === undefined || memory.view(output >>> 0, total * EVENT_BYTES) === undefined) return ERRNO.fault;
  const table = new DataView(list.buffer, list.byteOffset, list.byteLength);
  const waits = Array.from({ length: total }, (_, index) =>
    waitOf(table, index * SUBSCRIPTION_BYTES, context),
  );
  const shortest = Math.min(...waits);
  const left = deadline - context.clock.now();
  if (shortest > 0) await new Promise((resolve) => void setTimeout(resolve, Math.min(shortest, left)));

  let events = 0;
  for (const [index, wait] of waits.entries()) {
    if (wait > shortest) continue;
    const event = Buffer.alloc(EVENT_BYTES);
    event.writeBigUInt64LE(table.getBigUint64(index * SUBSCRIPTION_BYTES, true));
    event[10] = list[index * SUBSCRIPTION_BYTES + AT.tag] ?? 0;
    memory.write((output >>> 0) + events * EVENT_BYTES, event);
    events += 1;
  }
  const written = Buffer.alloc(4);
  written.writeUInt32LE(events);
  return memory.write(result >>> 0, written) ? ERRNO.success : ERRNO.fault;
}

/** Milliseconds until a subscription fires; 0 for streams. */
function waitOf(table: DataView, at: number, { clock }: WasiContext): number {
  if (table.getUint8(at + AT.tag) !== CLOCK_TAG) return 0;
  const timeout = Number(table.getBigUint64(at + AT.timeout, true)) / 1e6;
  if ((table.getUint16(at + AT.flags, true) & ABSOLUTE) === 0) return timeout;
  const now = table.getUint32(at + AT.clock, true) === 0 ? clock.wall() : clock.now();
  return Math.max(0, timeout - now);
}
