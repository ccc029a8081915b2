import type { CapabilityRequest, HostCapabilities } from '../engines/host-capabilities.ts';
import { Fault } from '../kernel/fault.ts';
import type { Runtime } from '../kernel/ports.ts';
import type { Providers } from './provider.ts';

export interface CapabilityLimits {
  /** Questions under way at the same time, of all policies and of one; more are refused at once. */
  readonly maxInFlight: number;
  readonly maxPerPolicy: number;
}

export const CAPABILITY_LIMITS: CapabilityLimits = { maxInFlight: 1024, maxPerPolicy: 256 };

/** Answers by the table of providers. Every question ends at its deadline, whatever its provider does. */
export function createCapabilities(
  providers: Providers,
  runtime: Runtime,
  limits: CapabilityLimits = CAPABILITY_LIMITS,
): HostCapabilities {
  const places = createPlaces(limits);
  return {
    async call(request) {
      const { capability, policy } = request;
      const provider = providers[capability];
      if (provider === undefined) {
        return new Fault(
          'PC_CAPABILITY_UNAVAILABLE',
          `this server does not offer the host capability \`${capability}\``,
        );
      }
      const busy = places.take(policy);
      if (busy !== undefined) return busy;
      const answered = Promise.resolve(provider(request)).catch((error: unknown) =>
        Fault.from(error, 'PC_CAPABILITY_FAILED'),
      );
      try {
        return await beforeDeadline(answered, request, runtime);
      } finally {
        places.leave(policy);
      }
    },
  };
}

/** The answer, or a fault at the deadline of the question. */
export async function beforeDeadline<T>(
  answered: Promise<T>,
  { capability, deadline }: Pick<CapabilityRequest, 'capability' | 'deadline'>,
  { clock, after }: Pick<Runtime, 'clock' | 'after'>,
): Promise<T | Fault> {
  const late = Promise.withResolvers<Fault>();
  const cancel = after(Math.max(0, deadline - clock.now()), () => late.resolve(tooLate(capability)));
  try {
    return await Promise.race([answered, late.promise]);
  } finally {
    cancel();
  }
}

function tooLate(capability: string): Fault {
  return new Fault('PC_CAPABILITY_TIMEOUT', `\`${capability}\` was not answered in the time of the policy`);
}

export interface Places {
  /** A fault when there is none. */
  take(policy: string): Fault | undefined;
  leave(policy: string): void;
}

/** Counts who asks: one policy that floods the host must not take the places of all others. */
export function createPlaces({ maxInFlight, maxPerPolicy }: CapabilityLimits): Places {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(policy) {
      const own = taken.get(policy) ?? 0;
      if (all >= maxInFlight || own >= maxPerPolicy) {
        const who = own >= maxPerPolicy ? `${own} of this policy` : `${all}`;
        return new Fault('PC_CAPABILITY_BUSY', `too many questions to the host are under way: ${who}`);
      }
      all += 1;
      taken.set(policy, own + 1);
      return undefined;
    },
    leave(policy) {
      all -= 1;
      const own = (taken.get(policy) ?? 1) - 1;
      if (own === 0) taken.delete(policy);
      else taken.set(policy, own);
    },
  };
}
