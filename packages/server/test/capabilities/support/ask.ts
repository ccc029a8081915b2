import assert from 'node:assert/strict';
import { createCapabilities } from '../../../src/capabilities/create-capabilities.ts';
import type { Providers } from '../../../src/capabilities/provider.ts';
import type { CapabilityName } from '../../../src/engines/host-capabilities.ts';
import { Fault, isFault, type FaultCode } from '../../../src/kernel/fault.ts';
import { createRuntime } from './runtime.ts';

export type Ask = (capability: CapabilityName, input: unknown, timeout?: number) => Promise<unknown>;

/** Asks as a policy does: JSON to JSON, or a fault. */
export function asker(providers: Providers): Ask {
  const runtime = createRuntime();
  const capabilities = createCapabilities(providers, runtime);
  return async (capability, input, timeout = 30_000) => {
    const answer = await capabilities.call({
      capability,
      payload: Buffer.from(JSON.stringify(input)),
      policy: 'tested',
      deadline: runtime.clock.now() + timeout,
    });
    return isFault(answer) ? answer : (JSON.parse(Buffer.from(answer).toString()) as unknown);
  };
}

export function assertFault(answer: unknown, code: FaultCode, message?: RegExp): void {
  assert.ok(answer instanceof Fault, JSON.stringify(answer));
  assert.equal(answer.code, code, answer.message);
  if (message !== undefined) assert.match(answer.message, message);
}
