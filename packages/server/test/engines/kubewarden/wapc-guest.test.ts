import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PolicySpec, Verdict } from '@portcullis/contract';
import type { EngineHost } from '../../../src/engines/engine.ts';
import type { CapabilityRequest } from '../../../src/engines/host-capabilities.ts';
import { kubewardenEngine } from '../../../src/engines/kubewarden/kubewarden-engine.ts';
import { Fault, isFault } from '../../../src/kernel/fault.ts';
import type { Logger } from '../../../src/kernel/ports.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { makeReview } from '../../support/make-review.ts';
import { clock, createTestHost } from '../../support/test-host.ts';
import { callHost, respond, wapc, type GuestParts } from './support/guest-wat.ts';

const ALLOW = '{"accepted":true}';
const RETURN = '(i32.const 1)';
const SECRETS = { group: '', version: 'v1', resource: 'secrets' };

interface Setting {
  readonly host?: EngineHost;
  readonly spec?: Partial<PolicySpec>;
  readonly times?: number;
  readonly isSecret?: boolean;
}

/** What the guest says, as often as it is asked. */
async function ask(bytes: Uint8Array, setting: Setting = {}): Promise<Verdict[]> {
  const { host = createTestHost(), spec, times = 1, isSecret = false } = setting;
  const module = await kubewardenEngine.compile(bytes);
  assert.ok(!isFault(module), isFault(module) ? module.message : '');
  const policy = makePolicy('labels', spec);
  const refused = await kubewardenEngine.admit(module, policy, host);
  assert.equal(refused?.message, undefined);
  const evaluator = kubewardenEngine.open(module, policy, host);
  const verdicts: Verdict[] = [];
  const review = makeReview(undefined, isSecret ? { resource: SECRETS } : {});
  for (let index = 0; index < times; index++)
    verdicts.push((await evaluator.evaluate(review, clock.now() + 60_000)).verdict);
  evaluator.close();
  return verdicts;
}

const said = async (bytes: Uint8Array, setting: Setting = {}): Promise<string> => {
  const [verdict] = await ask(bytes, setting);
  return verdict?.outcome === 'deny' || verdict?.outcome === 'fault'
    ? `${verdict.outcome}: ${verdict.message}`
    : 'allow';
};
const answering = (body: string, parts: GuestParts = {}): Uint8Array =>
  wapc(`${body} ${respond(0, ALLOW.length)} ${RETURN}`, { data: ALLOW, ...parts });

test('what a return code means, with and without an answer', async () => {
  const error = '(call $error (i32.const 100) (i32.const 4))';
  const parts = { data: Buffer.concat([Buffer.from(ALLOW.padEnd(100)), Buffer.from('oops')]) };
  const table: readonly (readonly [body: string, expected: string])[] = [
    [respond(0, ALLOW.length) + RETURN, 'allow'],
    [error + respond(0, ALLOW.length) + RETURN, 'allow'],
    [respond(0, ALLOW.length) + '(i32.const -1)', 'allow'],
    [
      respond(0, ALLOW.length) + '(i32.const 0)',
      'fault: Guest call failure: No error message set for call failure',
    ],
    [error + respond(0, ALLOW.length) + '(i32.const 0)', 'fault: Guest call failure: oops'],
    ['(i32.const 0)', 'fault: Guest call failure: No error message set for call failure'],
    [RETURN, 'fault: Guest call failure: No error message OR response set for call success'],
    [error + RETURN, 'fault: Guest call failure: oops'],
    [respond(0, 0) + RETURN, 'fault: Cannot deserialize policy validation response: it is empty'],
    [
      respond(0, ALLOW.length) + '(call $exit (i32.const 0)) (i32.const 1)',
      'fault: the policy ended itself instead of returning',
    ],
    [
      respond(0, ALLOW.length) + '(call $exit (i32.const 3)) (i32.const 1)',
      'fault: the policy exited with code 3',
    ],
  ];
  for (const [body, expected] of table) assert.equal(await said(wapc(body, parts)), expected, body);
});

test('the last answer counts', async () => {
  const deny = '{"accepted":false,"message":"no"}';
  const data = ALLOW + deny;
  const both = respond(0, ALLOW.length) + respond(ALLOW.length, deny.length) + RETURN;
  assert.equal(await said(wapc(both, { data })), 'deny: no');
});

test('an instance is set up once: `_start`, which may end itself, `_initialize`, `wapc_init`', async () => {
  const digit = (name: string, step: number, more = ''): string =>
    `(func (export "${name}") (global.set $order (i32.add (i32.mul (global.get $order) (i32.const 10)) (i32.const ${step}))) ${more})`;
  const rest = `(global $order (mut i32) (i32.const 0))
    ${digit('wapc_init', 3)} ${digit('_initialize', 2)} ${digit('_start', 1, '(call $exit (i32.const 0))')}`;
  const guest = answering('(if (i32.ne (global.get $order) (i32.const 123)) (then (unreachable)))', { rest });
  assert.deepEqual(
    (await ask(guest, { times: 3 })).map(({ outcome }) => outcome),
    ['allow', 'allow', 'allow'],
  );
});

test('a start that fails is refused when the policy is loaded', async () => {
  for (const [body, code] of [
    ['(call $exit (i32.const 2))', 'PC_WASM_START'],
    ['(unreachable)', 'PC_WASM_START'],
    ['(loop (br 0))', 'PC_WASM_FUEL'],
  ] as const) {
    const module = await kubewardenEngine.compile(
      answering('', { rest: `(func (export "_start") ${body})` }),
    );
    assert.ok(!isFault(module));
    const refused = await kubewardenEngine.admit(module, makePolicy('labels'), createTestHost());
    assert.equal(refused?.code, code);
  }
});

const COUNTER = '(global $count (mut i32) (i32.const 0))';
const COUNT = '(global.set $count (i32.add (global.get $count) (i32.const 1)))';
/** Answers with the digit of `$count` as its message. */
function counting(before: string): Uint8Array {
  const data = '{"accepted":false,"message":"0"}';
  const at = data.indexOf('0');
  return wapc(
    `${before} ${COUNT} (i32.store8 (i32.const ${at}) (i32.add (i32.const 48) (global.get $count)))
     ${respond(0, data.length)} ${RETURN}`,
    { data, rest: COUNTER },
  );
}

test('each evaluation starts from the state after one call with a review of nobody', async () => {
  const verdicts = await ask(counting(''), { times: 3 });
  assert.deepEqual(
    verdicts.map((verdict) => verdict.outcome === 'deny' && verdict.message),
    ['2', '2', '2'],
  );
});

test('the review of the first call has the settings and nothing of the user', async () => {
  // What the first call was asked with stays behind, and is the answer of the second.
  const guest = wapc(
    `(if (global.get $count) (then
       (call $error (i32.const 200000) (global.get $count)) (return (i32.const 0))))
     (global.set $count (local.get $payload)) (call $request (i32.const 1000) (i32.const 200000)) ${respond(0, ALLOW.length)} ${RETURN}`,
    { data: ALLOW, rest: COUNTER },
  );
  const [verdict] = await ask(guest, { spec: { settings: { team: 'a' } } });
  assert.ok(verdict?.outcome === 'fault');
  const { request, settings } = JSON.parse(verdict.message.replace('Guest call failure: ', '')) as {
    readonly request: { readonly userInfo: { readonly username: string } };
    readonly settings: object;
  };
  assert.deepEqual(settings, { team: 'a' });
  assert.equal(request.userInfo.username, 'portcullis:warm-up');
});

test('a first call that traps, or asks the host, leaves nothing behind', async () => {
  // The document of the first call is the longer one: the reviews of these tests have little in them.
  const onWarmUp = counting(
    `(if (i32.gt_u (local.get $payload) (i32.const 300)) (then ${COUNT} (unreachable)))`,
  );
  const verdicts = await ask(onWarmUp, { times: 2 });
  assert.deepEqual(
    verdicts.map((verdict) => verdict.outcome === 'deny' && verdict.message),
    ['1', '1'],
  );

  const data = '{"accepted":false,"message":"0"}';
  const asking = wapc(
    `(drop ${callHost(['kubewarden', 'net', 'v1/dns_lookup_host', '"a"'], 1000)}) ${COUNT}
     (i32.store8 (i32.const ${data.indexOf('0')}) (i32.add (i32.const 48) (global.get $count))) ${respond(0, data.length)} ${RETURN}`,
    { data: data.padEnd(1000) + 'kubewardennetv1/dns_lookup_host"a"', rest: COUNTER },
  );
  const [verdict] = await ask(asking);
  assert.equal(verdict?.outcome === 'deny' && verdict.message, '1');
});

const LOOKUP = ['kubewarden', 'net', 'v1/dns_lookup_host', '"example.com"'] as const;

/** Tells what the host answered: as the message of its error. */
function repeating(texts: readonly [string, string, string, string]): Uint8Array {
  return wapc(
    `(if ${callHost(texts, 1000)}
       (then (call $host_response (i32.const 5000)) (call $error (i32.const 5000) (call $response_length)))
       (else (call $host_error (i32.const 5000)) (call $error (i32.const 5000) (call $error_length))))
     (i32.const 0)`,
    { data: ' '.repeat(1000) + texts.join('') },
  );
}

function hostWith(answer: Uint8Array | Fault): { host: EngineHost; asked: CapabilityRequest[] } {
  const asked: CapabilityRequest[] = [];
  const call = (request: CapabilityRequest): Promise<Uint8Array | Fault> => {
    asked.push(request);
    return Promise.resolve(answer);
  };
  return { host: { ...createTestHost(), capabilities: { call } }, asked };
}

test('what the host answers reaches the guest that was granted it', async () => {
  const { host, asked } = hostWith(Buffer.from('{"ips":["192.0.2.1"]}'));
  const granted = { host, spec: { capabilities: ['net/*'] } };
  assert.equal(await said(repeating(LOOKUP), granted), 'fault: Guest call failure: {"ips":["192.0.2.1"]}');
  assert.deepEqual(
    asked.map(({ capability, payload, policy }) => [capability, Buffer.from(payload).toString(), policy]),
    [['net/v1/dns_lookup_host', '"example.com"', 'labels']],
  );
});

test('errors of the host are worded as guests know them', async () => {
  const { host, asked } = hostWith(new Fault('PC_CAPABILITY_FAILED', 'no such host'));
  const start = 'fault: Guest call failure: ';
  const spec = { capabilities: ['net/*'] };
  assert.equal(
    await said(repeating(LOOKUP), { host, spec }),
    `${start}Callback evaluation failure: no such host`,
  );
  assert.equal(asked.length, 1);
  assert.equal(
    await said(repeating(LOOKUP), { host }),
    `${start}Policy has not been granted access to the 'net/v1/dns_lookup_host' host capability. The violation has been reported.`,
  );
  assert.equal(
    await said(repeating(['wasmcloud', 'net', 'x', '']), { host }),
    `${start}unknown binding: wasmcloud`,
  );
  assert.equal(
    await said(repeating(['kubewarden', 'disk', 'x', '']), { host }),
    `${start}unknown namespace: disk`,
  );
  assert.equal(
    await said(repeating(['kubewarden', 'net', 'v9/x', '']), { host }),
    `${start}unknown operation: v9/x`,
  );
  assert.equal(
    await said(repeating(['kubewarden', 'tracing', 'x', '']), { host }),
    `${start}unknown operation: x`,
  );
  assert.equal(asked.length, 1);
  assert.match(
    await said(repeating(LOOKUP), { spec }),
    /Callback evaluation failure: this server does not offer/,
  );
});

test('an answer is forgotten with the next question', async () => {
  const { host } = hostWith(Buffer.from('{"ips":[]}'));
  const data = ' '.repeat(1000) + LOOKUP.join('') + 'other';
  const guest = wapc(
    `(drop ${callHost(LOOKUP, 1000)})
     (drop (call $host (i32.const ${1000 + LOOKUP.join('').length}) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
     (if (call $response_length) (then (unreachable)))
     (call $host_error (i32.const 5000)) (call $error (i32.const 5000) (call $error_length)) (i32.const 0)`,
    { data },
  );
  assert.equal(
    await said(guest, { host, spec: { capabilities: ['*'] } }),
    'fault: Guest call failure: unknown binding: other',
  );
});

test('a storm of questions ends with the fuel', async () => {
  const { host, asked } = hostWith(Buffer.from('{}'));
  const storm = wapc(`(loop (drop ${callHost(LOOKUP, 1000)}) (br 0)) (unreachable)`, {
    data: ' '.repeat(1000) + LOOKUP.join(''),
  });
  const [verdict] = await ask(storm, { host, spec: { capabilities: ['*'] } });
  assert.equal(verdict?.outcome === 'fault' && verdict.code, 'PC_WASM_FUEL');
  assert.ok(asked.length > 10 && asked.length < 1000, `${asked.length} questions`);
});

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: unknown;
}

function recordingLog(): { log: Logger; lines: Line[] } {
  const lines: Line[] = [];
  return {
    lines,
    log: { enabled: () => true, log: (level, message, fields) => lines.push({ level, message, fields }) },
  };
}

test('guests log without a grant, and what cannot be read is dropped', async () => {
  const events = [
    '{"level":"INFO","message":"asked","uid":"u-1","list":[1]}',
    '{"level":"warning","message":"hm"}',
    '{"level":"loud","message":"x"}',
    '{',
  ];
  const { log, lines } = recordingLog();
  for (const event of events) {
    const texts = ['kubewarden', 'tracing', 'log', event] as const;
    const guest = answering(`(if (i32.eqz ${callHost(texts, 1000)}) (then (unreachable)))`, {
      data: ALLOW.padEnd(1000) + texts.join(''),
    });
    assert.equal(await said(guest, { host: createTestHost(log) }), 'allow');
  }
  const fields = { target: 'policy_log', policy: 'labels' };
  assert.deepEqual(lines, [
    { level: 'info', message: 'asked', fields: { uid: 'u-1', ...fields } },
    { level: 'warn', message: 'hm', fields },
  ]);
  assert.equal(
    await said(answering('(call $log (i32.const 0) (i32.const 8))'), { host: createTestHost(log) }),
    'allow',
  );
  assert.deepEqual(lines.at(-1), { level: 'info', message: '{"accept', fields });
});

test('of a Secret nothing is told but the verdict', async () => {
  const { log, lines } = recordingLog();
  const host = createTestHost(log);
  const guest = wapc(
    '(call $log (i32.const 0) (i32.const 8)) (call $error (i32.const 0) (i32.const 8)) (i32.const 0)',
    {
      data: 'password',
    },
  );
  assert.equal(
    await said(guest, { host, isSecret: true }),
    'fault: Guest call failure: withheld, the request holds a secret',
  );
  assert.deepEqual(lines, []);
});

test('evaluations that wait at the same time get each their own answer', async () => {
  const waiting: (() => void)[] = [];
  const host: EngineHost = {
    ...createTestHost(),
    capabilities: {
      call: () =>
        new Promise((resolve) => {
          const number = waiting.length;
          waiting.push(() => resolve(Buffer.from(String(number))));
        }),
    },
  };
  const module = await kubewardenEngine.compile(repeating(LOOKUP));
  assert.ok(!isFault(module));
  const evaluator = kubewardenEngine.open(module, makePolicy('labels', { capabilities: ['*'] }), host);
  const evaluations = Array.from({ length: 20 }, () =>
    evaluator.evaluate(makeReview(), clock.now() + 60_000),
  );
  while (waiting.length < 20) await turn();
  for (const answer of waiting.toReversed()) answer();
  const verdicts = await Promise.all(evaluations);
  const messages = verdicts.map(({ verdict }) => verdict.outcome === 'fault' && verdict.message);
  assert.deepEqual(
    messages,
    Array.from({ length: 20 }, (_, number) => `Guest call failure: ${number}`),
  );
  evaluator.close();
});
