import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicySpec, Verdict } from '@portcullis/contract';
import type { EngineHost } from '../../../src/engines/engine.ts';
import { kubewardenEngine } from '../../../src/engines/kubewarden/kubewarden-engine.ts';
import { Fault, isFault } from '../../../src/kernel/fault.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { makeReview } from '../../support/make-review.ts';
import { clock, createTestHost } from '../../support/test-host.ts';
import { callHost, print, program } from './support/guest-wat.ts';

const ALLOW = '{"accepted":true}';
const LOOKUP = ['kubewarden', 'net', 'v1/dns_lookup_host', '"example.com"'] as const;
const STDERR = 2;

async function ask(
  bytes: Uint8Array,
  host: EngineHost = createTestHost(),
  spec: Partial<PolicySpec> = {},
): Promise<Verdict> {
  const module = await kubewardenEngine.compile(bytes);
  assert.ok(!isFault(module), isFault(module) ? module.message : '');
  assert.equal(module.mode, 'wasi');
  const policy = makePolicy('labels', spec);
  const refused = await kubewardenEngine.admit(module, policy, host);
  assert.equal(refused?.message, undefined);
  const evaluator = kubewardenEngine.open(module, policy, host);
  const { verdict } = await evaluator.evaluate(makeReview(), clock.now() + 60_000);
  evaluator.close();
  return verdict;
}

const told = (verdict: Verdict): string =>
  verdict.outcome === 'fault' ? `${verdict.code}: ${verdict.message}` : verdict.outcome;
const read = (at: number, length: number): string =>
  `(i32.store (i32.const 48032) (i32.const ${at})) (i32.store (i32.const 48036) (i32.const ${length}))
   (drop (call $read (i32.const 0) (i32.const 48032) (i32.const 1) (i32.const 48040)))`;
const printRead = (at: number, fd: number): string =>
  `(i32.store (i32.const 48016) (i32.const ${at})) (i32.store (i32.const 48020) (i32.load (i32.const 48040)))
   (drop (call $write (i32.const ${fd}) (i32.const 48016) (i32.const 1) (i32.const 48024)))`;
const FAIL = '(call $exit (i32.const 1))';

test('a program is told by its arguments what to do', async () => {
  const verdict = await ask(
    program(
      `(drop (call $args (i32.const 70000) (i32.const 70100)))
       ${print(70_100, 'policy.wasm'.length, STDERR)} ${print(70_112, 'validate'.length, STDERR)} ${FAIL}`,
    ),
  );
  assert.equal(told(verdict), 'PC_WASM_EXIT: the policy exited with code 1: policy.wasmvalidate');
});

test('the request is on standard input, the answer on standard output', async () => {
  const verdict = await ask(program(`${read(100_000, 5000)} ${printRead(100_000, STDERR)} ${FAIL}`));
  assert.equal(
    told(verdict),
    'PC_WASM_EXIT: the policy exited with code 1: {"request":{"object":{"metadata":{"name":"web"}}},"settings":{}}',
  );
  assert.equal((await ask(program(print(0, ALLOW.length), { data: ALLOW }))).outcome, 'allow');
});

test('an exit code of 0 is as good as a return, another one is a fault', async () => {
  const data = ALLOW;
  assert.equal(
    (await ask(program(`${print(0, data.length)} (call $exit (i32.const 0))`, { data }))).outcome,
    'allow',
  );
  assert.equal(
    told(await ask(program(print(0, data.length) + FAIL, { data }))),
    'PC_WASM_EXIT: the policy exited with code 1',
  );
});

test('nothing on standard output is a fault, and so is what a program writes beside its answer', async () => {
  const failure = 'PC_KUBEWARDEN_OUTPUT: Cannot deserialize policy validation response: ';
  assert.equal(told(await ask(program(''))), `${failure}it is empty`);
  const twice = program(print(0, ALLOW.length) + print(0, ALLOW.length), { data: ALLOW });
  assert.equal(told(await ask(twice)), `${failure}unexpected byte at offset 17`);
});

/** Reads its input, asks the host, reads again, and tells what came and the result of the call. */
const ASKING = program(
  `${read(100_000, 5000)}
   (i32.store8 (i32.const 999) (i32.add (i32.const 48) ${callHost(LOOKUP, 1000)}))
   ${read(200_000, 5000)} ${print(999, 1, STDERR)} ${printRead(200_000, STDERR)} ${read(200_000, 10)}
   (i32.store8 (i32.const 999) (i32.add (i32.const 48) (i32.load (i32.const 48040)))) ${print(999, 1, STDERR)} ${FAIL}`,
  { data: ' '.repeat(1000) + LOOKUP.join('') },
);

test('what the host answers is appended to standard input; 0 is success, and then there is no more', async () => {
  const answering = (answer: Uint8Array | Fault): EngineHost => ({
    ...createTestHost(),
    capabilities: { call: () => Promise.resolve(answer) },
  });
  const spec = { capabilities: ['net/v1/dns_lookup_host'] };
  const start = 'PC_WASM_EXIT: the policy exited with code 1: ';
  assert.equal(told(await ask(ASKING, answering(Buffer.from('{"ips":[]}')), spec)), `${start}0{"ips":[]}0`);
  assert.equal(
    told(await ask(ASKING, answering(new Fault('PC_CAPABILITY_FAILED', 'down')), spec)),
    `${start}1Callback evaluation failure: down0`,
  );
  assert.match(
    told(await ask(ASKING, answering(Buffer.from('{}')))),
    /: 1Policy has not been granted access/,
  );
});

test('a program that asks and never reads is stopped before its answers fill the server', async () => {
  let answered = 0;
  const answer = new Uint8Array(16 * 1024 * 1024 - 1024);
  const host: EngineHost = {
    ...createTestHost(),
    capabilities: {
      call: () => {
        answered += 1;
        return Promise.resolve(answer);
      },
    },
  };
  const endless = program(`(loop $again (drop ${callHost(LOOKUP, 1000)}) (br $again))`, {
    data: ' '.repeat(1000) + LOOKUP.join(''),
  });
  const spec = {
    capabilities: ['net/v1/dns_lookup_host'],
    limits: { timeoutMs: 30_000, memoryBytes: 16 * 1024 * 1024, fuel: 1e8 },
  };
  assert.equal(
    told(await ask(endless, host, spec)),
    'PC_WASM_TRAP: the policy was stopped: it asked the host for more than it may hold',
  );
  assert.equal(answered, 5);
});

test('a program that is too slow says so in words', async () => {
  const module = await kubewardenEngine.compile(program('(loop (br 0))'));
  assert.ok(!isFault(module));
  const limits = { timeoutMs: 1000, memoryBytes: 16 * 1024 * 1024, fuel: 1e12 };
  const evaluator = kubewardenEngine.open(module, makePolicy('labels', { limits }), createTestHost());
  const { verdict } = await evaluator.evaluate(makeReview(), clock.now() + 20);
  evaluator.close();
  assert.equal(
    told(verdict),
    'PC_WASM_TIMEOUT: Policy execution interrupted because it exceeded the allowed execution time',
  );
});
