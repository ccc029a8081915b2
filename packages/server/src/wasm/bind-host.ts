import { OUT_OF_TIME, type Ending } from './ending.ts';
import type { HostCall, HostFunction, HostInterface } from './host-interface.ts';
import type { ImportInfo } from './module-info.ts';

/** What the binding needs of the instance that it binds to. */
export interface HostCaller<T> extends HostCall<T> {
  /** A guest that was ended calls nothing any more. */
  readonly hasEnded: boolean;
  /** What to throw so that a guest that was ended does not go on. */
  readonly stop: Error;
  /** Takes from the guest's fuel what was paid since the last time. */
  settle(): void;
  /** Ends the guest, unless it was ended before. */
  end(ending: Ending): void;
  /** Milliseconds until the guest's time is over. */
  readonly timeLeft: number;
  /** A host function may still write to the memory, so nobody else may have it. */
  isTainted: boolean;
  /** A host function was called and has not answered yet. */
  isWaiting: boolean;
}

/** setTimeout knows no longer times. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Suspending and going on, with a timer, takes a few microseconds even when the answer is there at once. */
const WAIT_FUEL = 1 << 14;

/** The host functions that a module imports, tied to one instance of it. */
export function bindHost<T>(
  imports: readonly ImportInfo[],
  host: HostInterface<T>,
  guest: HostCaller<T>,
): WebAssembly.Imports {
  const bound: WebAssembly.Imports = {};
  for (const { module, name, kind } of imports) {
    // The rewrite made an imported memory the module's own.
    if (kind === 'memory') continue;
    const offered = host[module]?.[name];
    if (offered?.byAdapter === true) continue;
    if (offered === undefined) throw new TypeError(`the host does not offer \`${module}.${name}\``);
    (bound[module] ??= {})[name] = bind(offered, `${module}.${name}`, guest);
  }
  return bound;
}

function bind<T>(offered: HostFunction<T>, name: string, guest: HostCaller<T>): unknown {
  const { call, callAsync } = offered;
  if (call !== undefined) {
    return (...args: number[]): number | void => {
      if (guest.hasEnded) throw guest.stop;
      try {
        const answer = call(guest, ...args);
        guest.settle();
        return answer;
      } catch (error) {
        throw failed(error, name, guest);
      }
    };
  }
  if (callAsync === undefined) throw new TypeError(`\`${name}\` has neither \`call\` nor \`callAsync\``);
  return new WebAssembly.Suspending((...args: number[]): Promise<number | void> => {
    if (guest.hasEnded) throw guest.stop;
    guest.pay(WAIT_FUEL);
    try {
      guest.isWaiting = true;
      return bounded(callAsync(guest, ...args), name, guest);
    } catch (error) {
      guest.isWaiting = false;
      throw failed(error, name, guest);
    }
  });
}

/** Notes why, and returns what to throw. */
function failed<T>(error: unknown, name: string, guest: HostCaller<T>): Error {
  if (error !== guest.stop) guest.end({ by: 'host', name, error });
  return guest.stop;
}

/** Settles with what the host answers, or ends the guest at its deadline. */
function bounded<T>(
  answer: Promise<number | void>,
  name: string,
  guest: HostCaller<T>,
): Promise<number | void> {
  return new Promise((resolve, reject) => {
    const timeLeft = Math.min(Math.ceil(Math.max(guest.timeLeft, 0)), LONGEST_TIMER);
    const timer = setTimeout(() => {
      guest.isTainted = true;
      guest.isWaiting = false;
      guest.end(OUT_OF_TIME);
      reject(guest.stop);
    }, timeLeft);
    answer.then(
      (value) => {
        clearTimeout(timer);
        guest.isWaiting = false;
        guest.settle();
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        guest.isWaiting = false;
        reject(failed(error, name, guest));
      },
    );
  });
}
