import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  callCapability,
  parseGrants,
  type CapabilityName,
  type Grants,
  type HostCapabilities,
} from '../../../src/engines/host-capabilities.ts';
import { observeCapabilities } from '../../../src/engines/observe-capabilities.ts';
import { Fault, isFault, type FaultCode } from '../../../src/kernel/fault.ts';

const NAME = 'net/v1/dns_lookup_host';

function observed(answer: Uint8Array | Fault) {
  const told: unknown[] = [];
  let now = 0;
  const inner: HostCapabilities = {
    async call() {
      now += 5;
      return answer;
    },
  };
  const host = observeCapabilities(
    inner,
    { hostCalled: (...call) => void told.push(call) },
    { now: () => now },
  );
  return { host, told };
}

function grantsOf(...capabilities: string[]): Grants {
  const grants = parseGrants({ capabilities });
  assert.ok(!isFault(grants));
  return grants;
}

const call = (capability: string) => ({ capability, payload: Buffer.from('{}'), policy: 'p', deadline: 100 });

test('an answer is told with its time, and handed on', async () => {
  const bytes = Buffer.from('{}');
  const { host, told } = observed(bytes);
  assert.equal(await callCapability(host, grantsOf('*'), call(NAME)), bytes);
  assert.deepEqual(told, [[NAME, 'ok', 5]]);
});

for (const [code, outcome] of [
  ['PC_CAPABILITY_FAILED', 'failed'],
  ['PC_CAPABILITY_SIZE', 'failed'],
  ['PC_CAPABILITY_TIMEOUT', 'timeout'],
  ['PC_CAPABILITY_BUSY', 'refused'],
  ['PC_CAPABILITY_UNAVAILABLE', 'refused'],
  ['PC_CAPABILITY_INPUT', 'refused'],
  ['PC_CAPABILITY_UNTRUSTED', 'ok'],
] as const satisfies readonly (readonly [FaultCode, string])[]) {
  test(`${code} counts as ${outcome}`, async () => {
    const fault = new Fault(code, 'it was not to be');
    const { host, told } = observed(fault);
    assert.equal(await callCapability(host, grantsOf('*'), call(NAME)), fault);
    assert.deepEqual(told, [[NAME, outcome, 5]]);
  });
}

test('what is not granted, and what there is not, is told without a word of the guest', async () => {
  const { host, told } = observed(Buffer.from('{}'));
  for (const name of [NAME, 'made/up_by_a_guest', 'kubernetes/inventory', '']) {
    assert.ok(isFault(await callCapability(host, grantsOf('oci/*'), call(name))));
  }
  const notReadable: CapabilityName = 'kubernetes/get_resource';
  assert.ok(isFault(await callCapability(host, grantsOf('*'), call(notReadable))));
  assert.deepEqual(told, [
    [NAME, 'refused'],
    ['unknown', 'refused'],
    ['unknown', 'refused'],
    ['unknown', 'refused'],
    [notReadable, 'refused'],
  ]);
});
