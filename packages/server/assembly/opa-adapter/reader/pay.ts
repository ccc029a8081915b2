import { fuel, refill } from './guest';

/** No more bytes are gone over before they are paid for, so that the guest can be suspended in between. */
export const STRIDE: u32 = 4096;

/** As the guest's own code pays: when nothing is left it is suspended, or ended, in here. */
export function pay(units: u32): void {
  fuel -= units;
  if (fuel < 0) askForMore();
}

function askForMore(): void {
  while (fuel < 0) {
    const grant = refill(-fuel);
    if (grant < 0) unreachable();
    fuel += grant;
  }
}

/** Of large ranges, in strides. */
export function copy(to: u32, from: u32, size: u32): void {
  for (let done: u32 = 0; done < size; done += STRIDE) {
    const stride = min(size - done, STRIDE);
    pay(stride >> 2);
    memory.copy(to + done, from + done, stride);
  }
}

export function clear(from: u32, size: u32): void {
  for (let done: u32 = 0; done < size; done += STRIDE) {
    const stride = min(size - done, STRIDE);
    pay(stride >> 2);
    memory.fill(from + done, 0, stride);
  }
}
