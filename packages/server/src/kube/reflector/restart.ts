import { Fault, isFault } from '../../kernel/fault.ts';
import { retryAfterOf } from '../http/server-fault.ts';
import type { WatchEnd } from '../watch-event.ts';
import type { RestartReason } from './reflector-types.ts';

/** What follows from the end of an attempt. */
export interface Restart {
  readonly reason: RestartReason;
  /** `yes`: the version is no longer good for a watch. `unknown`: perhaps. */
  readonly relist: 'yes' | 'unknown' | 'no';
  readonly pause: 'none' | 'backoff' | 'slow';
  /** At least so many milliseconds, because the server said so. */
  readonly atLeast: number;
  readonly problem: Fault | undefined;
}

/** Milliseconds; a watch that ends sooner and without events is no watch. */
const TOO_SHORT = 1000;

export function restartAfter(end: WatchEnd | Fault, duration: number): Restart {
  if (isFault(end)) {
    return { ...faultRestart(end), problem: end, atLeast: (retryAfterOf(end) ?? 0) * 1000 };
  }
  if (end.events > 0 || duration >= TOO_SHORT) {
    return { reason: 'ended', relist: 'no', pause: 'none', atLeast: 0, problem: undefined };
  }
  const problem = new Fault('PC_KUBE_ANSWER', 'the watch ended at once and without events');
  return { reason: 'empty', relist: 'no', pause: 'backoff', atLeast: 0, problem };
}

function faultRestart(fault: Fault): Pick<Restart, 'reason' | 'relist' | 'pause'> {
  switch (fault.code) {
    case 'PC_KUBE_GONE':
      return { reason: 'expired', relist: 'yes', pause: 'backoff' };
    case 'PC_KUBE_THROTTLED':
      return { reason: 'throttled', relist: 'no', pause: 'backoff' };
    case 'PC_KUBE_UNREACHABLE':
    case 'PC_KUBE_TIMEOUT':
      return brokenRestart(fault);
    case 'PC_KUBE_ANSWER':
      return { reason: 'broken', relist: 'unknown', pause: 'backoff' };
    case 'PC_KUBE_SERVER':
      // Inside a watch it says that the server lost the thread; before one, only that it is busy.
      return fault.data['event'] === true
        ? { reason: 'error', relist: 'yes', pause: 'backoff' }
        : { reason: 'server', relist: 'unknown', pause: 'backoff' };
    case 'PC_KUBE_FORBIDDEN':
    case 'PC_KUBE_NOT_FOUND':
    case 'PC_KUBE_INVALID':
      return { reason: 'refused', relist: 'yes', pause: 'slow' };
    default:
      return { reason: 'refused', relist: 'no', pause: 'backoff' };
  }
}

/** A server that was away, for all we know, is listed again; a watch that broke goes on where it was if the server knows that. */
function brokenRestart(fault: Fault): Pick<Restart, 'reason' | 'relist' | 'pause'> {
  if (fault.data['answered'] !== true) return { reason: 'unreachable', relist: 'yes', pause: 'backoff' };
  return fault.code === 'PC_KUBE_TIMEOUT'
    ? { reason: 'silent', relist: 'yes', pause: 'backoff' }
    : { reason: 'broken', relist: 'unknown', pause: 'backoff' };
}
