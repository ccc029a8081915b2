import type { TestContext } from 'node:test';
import type { Policy } from '@portcullis/contract';
import type { Runtime } from '../../src/kernel/ports.ts';
import { anonymousKeychain } from '../../src/oci/auth/credential.ts';
import { createOciClient } from '../../src/oci/create-oci-client.ts';
import type { ModuleCache } from '../../src/sources/module-cache.ts';
import { createOciModuleSource, type OciModuleSource } from '../../src/sources/oci/oci-module-source.ts';
import { makePolicy } from '../support/make-policy.ts';
import { startFakeRegistry, type FakeRegistry } from './fake-registry.ts';

export const MINUTE = 60_000;

export interface Setup {
  readonly registry: FakeRegistry;
  readonly source: OciModuleSource;
  readonly logged: string[];
  policy(rest: string): Policy;
  /** Lets time pass, and what is due then happen. */
  pass(milliseconds: number): Promise<void>;
}

/** A source at a registry in memory: a new one, or the one that another source had. */
export async function setUp(
  t: TestContext,
  options: {
    readonly registry?: FakeRegistry;
    readonly cache?: ModuleCache;
    readonly patience?: number;
  } = {},
): Promise<Setup> {
  const { registry = await startFakeRegistry(), ...rest } = options;
  const logged: string[] = [];
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  let now = 0;
  const runtime: Runtime = {
    clock: { now: () => now, wall: () => now },
    random: () => 0.5,
    log: { enabled: () => true, log: (level, message) => void logged.push(`${level} ${message}`) },
    after(milliseconds, run) {
      const timer = { at: now + milliseconds, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const client = createOciClient({
    // The client's own waits between tries take no time.
    runtime: {
      ...runtime,
      after: (_milliseconds, run) => {
        setImmediate(run);
        return () => undefined;
      },
    },
    keychain: anonymousKeychain,
    timeout: 20_000,
    allowPrivate: false,
    mirrors: [],
    plainHttp: () => true,
    userAgent: 'portcullis-test',
  });
  const source = createOciModuleSource({
    client,
    runtime,
    maxModuleBytes: 1000,
    refresh: 5 * MINUTE,
    ...rest,
  });
  t.after(async () => {
    client.close();
    await registry.close();
  });
  return {
    registry,
    source,
    logged,
    policy: (path) => makePolicy('p', { module: { oci: `${registry.host}/${path}` } }),
    async pass(milliseconds) {
      now += milliseconds;
      const due = [...timers].filter(({ at }) => at <= now);
      for (const timer of due) {
        timers.delete(timer);
        timer.run();
      }
      // The end of a look sets the clock for the next one.
      while (due.length > 0 && timers.size === 0) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
