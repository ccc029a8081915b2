import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Fault, isFault } from '../../src/kernel/fault.ts';
import type { Runtime } from '../../src/kernel/ports.ts';
import { Secret } from '../../src/kernel/secret.ts';
import { anonymousKeychain, type Credential, type Keychain } from '../../src/oci/auth/credential.ts';
import { createOciClient, type OciClientOptions } from '../../src/oci/create-oci-client.ts';
import type { OciClient } from '../../src/oci/oci-client.ts';
import { parseReference, type OciReference } from '../../src/oci/reference.ts';
import { startFakeRegistry, type FakeRegistry } from './fake-registry.ts';

export const LAYER = Buffer.from('a module');
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const SECRETS = /hunter2|aHVudGVyMg|bWU6aHVudGVyMg/;

/** Time passes only by waiting, and waiting takes none. */
export function fakeRuntime() {
  const waits: number[] = [];
  let now = 0;
  const runtime: Pick<Runtime, 'clock' | 'random' | 'after'> = {
    clock: { now: () => now, wall: () => 1_000_000 + now },
    random: () => 0.5,
    after(milliseconds, run) {
      waits.push(milliseconds);
      now += milliseconds;
      const handle = setImmediate(run);
      return () => clearImmediate(handle);
    },
  };
  return { runtime, waits, advance: (milliseconds: number) => (now += milliseconds) };
}

export interface Setup {
  readonly registry: FakeRegistry;
  readonly client: OciClient;
  readonly waits: number[];
  advance(milliseconds: number): number;
  at(rest: string): OciReference;
}

export async function setUp(t: TestContext, options: Partial<OciClientOptions> = {}): Promise<Setup> {
  const registry = await startFakeRegistry();
  const { runtime, waits, advance } = fakeRuntime();
  const client = createOciClient({
    runtime,
    keychain: anonymousKeychain,
    timeout: 20_000,
    allowPrivate: false,
    mirrors: [],
    plainHttp: () => true,
    userAgent: 'portcullis-test',
    ...options,
  });
  t.after(async () => {
    client.close();
    await registry.close();
  });
  return { registry, client, waits, advance, at: (rest) => referenceTo(registry, rest) };
}

export function referenceTo({ host }: FakeRegistry, rest: string): OciReference {
  const reference = parseReference(`${host}/${rest}`);
  assert.ok(!isFault(reference));
  return reference;
}

export const me: Credential = { kind: 'password', username: 'me', password: new Secret('hunter2') };
export const keychainOf = (credential: Credential): Keychain => ({ find: async () => credential });

/** Holds a fault to its code, and to hold no secret. */
export function assertFault(answer: unknown, code: string): Fault {
  assert.ok(isFault(answer), 'expected a fault');
  assert.equal(answer.code, code, answer.message);
  assert.doesNotMatch(`${answer.message} ${JSON.stringify(answer.data)} ${answer.stack}`, SECRETS);
  return answer;
}
