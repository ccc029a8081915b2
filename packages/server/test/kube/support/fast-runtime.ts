import type { KubeRuntime } from '../../../src/kube/kube-host.ts';

/** A machine on which time passes so many times faster: pauses of half a minute are over soon, and all of them are real. */
export function createFastRuntime(speed: number, random: () => number): KubeRuntime {
  return {
    clock: { now: () => performance.now() * speed, wall: () => Date.now() },
    log: { enabled: () => false, log: () => undefined },
    random,
    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds / speed);
      return () => clearTimeout(timer);
    },
  };
}
