import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CAPABILITIES,
  callCapability,
  parseGrants,
  type CapabilityRequest,
  type Grants,
  type HostCapabilities,
} from '../../../src/engines/host-capabilities.ts';
import {
  recordCapabilities,
  replayCapabilities,
  type RecordedCall,
} from '../../../src/engines/recorded-capabilities.ts';
import { Fault, isFault } from '../../../src/kernel/fault.ts';

const REQUEST = {
  payload: Buffer.from('{"api_version":"v1","kind":"Pod"}'),
  policy: 'labels',
  deadline: 1000,
} as const;

function grantsOf(...patterns: string[]): Grants {
  const grants = parseGrants({
    capabilities: patterns,
    contextAwareResources: [{ apiVersion: 'v1', kind: 'Pod' }],
  });
  assert.ok(!isFault(grants));
  return grants;
}

function answering(text: string): HostCapabilities & { readonly asked: CapabilityRequest[] } {
  const asked: CapabilityRequest[] = [];
  return {
    asked,
    call: (request) => {
      asked.push(request);
      return Promise.resolve(Buffer.from(text));
    },
  };
}

test('patterns stand for all, a namespace, a version of one, or one capability', () => {
  assert.deepEqual([...grantsOf().capabilities], []);
  assert.deepEqual([...grantsOf('*').capabilities], CAPABILITIES);
  assert.deepEqual(
    [...grantsOf('oci/v2/*', 'kubernetes/can_i').capabilities],
    ['oci/v2/verify', 'kubernetes/can_i'],
  );
  assert.equal(grantsOf('oci/*').capabilities.size, 5);
  assert.equal(grantsOf('kubernetes/*').capabilities.has('oci/v1/verify'), false);
});

test('a pattern that stands for nothing is refused when the policy is loaded', () => {
  for (const pattern of [
    'oci*',
    'oci/v1/oci_*',
    'oci',
    'oci/v1',
    'oci/',
    '/*',
    '*/verify',
    'disk/*',
    '**',
    '',
  ])
    assert.equal((parseGrants({ capabilities: [pattern] }) as Fault).code, 'PC_CAPABILITY_PATTERN', pattern);
  assert.match(
    (parseGrants({ capabilities: ['disk/*'] }) as Fault).message,
    /^`spec\.capabilities`: `disk\/\*` stands for no capability; /,
  );
});

test('only what is granted reaches the host', async () => {
  const host = answering('{}');
  const grants = grantsOf('kubernetes/get_resource');
  const granted = await callCapability(host, grants, { ...REQUEST, capability: 'kubernetes/get_resource' });
  assert.equal(String(granted), '{}');
  assert.deepEqual(host.asked, [{ ...REQUEST, capability: 'kubernetes/get_resource' }]);

  const denied = (await callCapability(host, grants, { ...REQUEST, capability: 'oci/v1/verify' })) as Fault;
  assert.equal(denied.code, 'PC_CAPABILITY_DENIED');
  assert.equal(
    denied.message,
    "Policy has not been granted access to the 'oci/v1/verify' host capability. The violation has been reported.",
  );
  for (const capability of ['oci/v3/verify', 'kubernetes/*', '*', 'toString', '']) {
    const unknown = (await callCapability(host, grantsOf('*'), { ...REQUEST, capability })) as Fault;
    assert.equal(unknown.code, 'PC_CAPABILITY_UNKNOWN', capability);
  }
  assert.equal(host.asked.length, 1);
});

test('reading cluster objects needs their kind besides the capability', async () => {
  const host = answering('{}');
  const ask = async (payload: string, capability = 'kubernetes/list_resources_all'): Promise<Fault> =>
    (await callCapability(host, grantsOf('kubernetes/*'), {
      ...REQUEST,
      capability,
      payload: Buffer.from(payload),
    })) as Fault;
  const secrets = await ask('{"api_version":"v1","kind":"Secret"}');
  assert.equal(secrets.code, 'PC_CAPABILITY_DENIED');
  assert.equal(
    secrets.message,
    'Policy has not been granted access to Kubernetes v1/Secret resources. The violation has been reported.',
  );
  for (const payload of ['', '[]', '{"kind":"Pod"}', '{"api_version":1,"kind":"Pod"}', '{"kind":'])
    assert.equal((await ask(payload)).code, 'PC_CAPABILITY_INPUT', payload);
  assert.equal(host.asked.length, 0);
  assert.ok(!isFault(await ask('{}', 'kubernetes/can_i')));
});

test('a host without capabilities answers with a fault', async () => {
  const call = { ...REQUEST, capability: 'kubernetes/can_i' };
  assert.equal(
    ((await callCapability(undefined, grantsOf('*'), call)) as Fault).code,
    'PC_CAPABILITY_UNAVAILABLE',
  );
  assert.equal(((await callCapability(undefined, grantsOf(), call)) as Fault).code, 'PC_CAPABILITY_DENIED');
});

test('recorded calls are answered again without the host, by what was asked', async () => {
  const recorded: RecordedCall[] = [];
  const failing: HostCapabilities = {
    call: () => Promise.resolve(new Fault('PC_CAPABILITY_FAILED', 'not found')),
  };
  const call: CapabilityRequest = { ...REQUEST, capability: 'kubernetes/get_resource' };
  const host = recordCapabilities(answering('{"n":12345678901234567890}'), (entry) => recorded.push(entry));
  await host.call(call);
  await recordCapabilities(failing, (entry) => recorded.push(entry)).call({
    ...call,
    payload: new Uint8Array(0),
  });
  assert.deepEqual(JSON.parse(JSON.stringify(recorded[1])), {
    capability: 'kubernetes/get_resource',
    request: null,
    answer: { error: 'not found', code: 'PC_CAPABILITY_FAILED' },
  });

  const replay = replayCapabilities(recorded);
  const same = await replay.call({ ...call, payload: Buffer.from('{ "kind": "Pod", "api_version": "v1" }') });
  assert.equal(String(same), '{"n":12345678901234567890}');
  assert.equal(((await replay.call({ ...call, payload: new Uint8Array(0) })) as Fault).message, 'not found');
  const other = await replay.call({ ...call, payload: Buffer.from('{"kind":"Node"}') });
  assert.equal((other as Fault).code, 'PC_CAPABILITY_UNAVAILABLE');
  const broken = await replay.call({ ...call, payload: Buffer.from('{') });
  assert.equal((broken as Fault).code, 'PC_CAPABILITY_INPUT');
});

test('what is the same array each time is recorded once, and replayed as the same array', async () => {
  const first = Buffer.from('{"a":1}');
  const second = Buffer.from('{"a":2}');
  const answers = [first, first, second];
  const calls: RecordedCall[] = [];
  const inner = { call: () => Promise.resolve(answers.shift() ?? second) };
  const recording = recordCapabilities(inner, (call) => calls.push(call));
  const request = { ...REQUEST, capability: 'kubernetes/inventory' } as const;
  for (const expected of [first, first, second, second]) {
    assert.equal(await recording.call(request), expected);
  }
  assert.deepEqual(
    calls.map(({ answer }) => answer),
    [{ response: { a: 1 } }, { response: { a: 2 } }],
  );
  const replayed = replayCapabilities(calls);
  const answer = await replayed.call(request);
  assert.deepEqual(JSON.parse(String(answer)), { a: 1 });
  assert.equal(await replayed.call(request), answer);
});

test('guests cannot ask for an inventory, whatever they are granted', async () => {
  const host = answering('{}');
  const answer = await callCapability(host, grantsOf('*'), {
    ...REQUEST,
    capability: 'kubernetes/inventory',
  });
  assert.ok(isFault(answer) && answer.code === 'PC_CAPABILITY_UNKNOWN');
  assert.deepEqual(host.asked, []);
});
