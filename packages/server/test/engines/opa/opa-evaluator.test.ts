import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JsonValue, PolicySpec, Verdict } from '@portcullis/contract';
import { gatekeeperEngine, opaEngine } from '../../../src/engines/opa/opa-engine.ts';
import type { Engine, EngineHost } from '../../../src/engines/engine.ts';
import { isFault, type Fault } from '../../../src/kernel/fault.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { makeReview } from '../../support/make-review.ts';
import { clock, createTestHost } from '../../support/test-host.ts';
import { opaGuest, type OpaGuest } from './opa-guest.ts';

const EXAMPLE = join(
  import.meta.dirname,
  '../../../../../policies/memory-limits-rego/memory-limits-rego.wasm',
);
const limits = { timeoutMs: 10_000, memoryBytes: 16 * 1024 * 1024, fuel: 50_000_000 };

/** What `fixture` answers to a review of this object, or why it was not loaded. */
async function ask(
  fixture: Uint8Array,
  { engine = opaEngine, object = {}, host = createTestHost(), ...spec }: Asked = {},
): Promise<Verdict | Fault> {
  const module = await engine.compile(fixture);
  assert.ok(!isFault(module), isFault(module) ? module.message : '');
  const policy = makePolicy('tested', { settings: null, limits, ...spec });
  const refused = await engine.admit(module, policy, host);
  if (refused !== undefined) return refused;
  const evaluator = engine.open(module, policy, host);
  const review = makeReview(object);
  const first = await evaluator.evaluate(review, clock.now() + 10_000);
  const second = await evaluator.evaluate(review, clock.now() + 10_000);
  assert.deepEqual(second, first, 'a reset instance answers otherwise');
  evaluator.close();
  return first.verdict;
}

interface Asked extends Omit<Partial<PolicySpec>, 'engine'> {
  readonly engine?: Engine;
  readonly object?: JsonValue;
  readonly host?: EngineHost;
}

const pod = (memory: JsonValue): JsonValue => ({
  spec: { containers: [{ name: 'web', resources: { limits: { memory } } }] },
});
const WANTED = 'container "web" may use 1Gi of memory; the most is 512Mi';

test('as Gatekeeper: settings are parameters, every violation denies', async () => {
  const bytes = await readFile(EXAMPLE);
  const as = { engine: gatekeeperEngine, settings: { max: '512Mi' } };
  const denied = await ask(bytes, { ...as, object: pod('1Gi') });
  assert.ok(!isFault(denied) && denied.outcome === 'deny');
  assert.equal(denied.message, WANTED);
  const allowed = await ask(bytes, { ...as, object: pod('512Mi') });
  assert.ok(!isFault(allowed) && allowed.outcome === 'allow');
});

test('as OPA: settings are data, the entry point answers with an AdmissionReview; by name, path or number', async () => {
  const bytes = await readFile(EXAMPLE);
  for (const entrypoint of ['memory_limits/main', 'data.memory_limits.main', '1']) {
    const as = { entrypoint, settings: { max: '512Mi' } };
    const denied = await ask(bytes, { ...as, object: pod('1Gi') });
    assert.ok(!isFault(denied) && denied.outcome === 'deny', entrypoint);
    assert.equal(denied.message, WANTED);
    const allowed = await ask(bytes, { ...as, object: pod('1Mi') });
    assert.ok(!isFault(allowed) && allowed.outcome === 'allow');
  }
});

test('an entry point of the wrong shape is a fault that says which engine would read it', async () => {
  const verdict = await ask(await readFile(EXAMPLE), { settings: { max: '512Mi' }, object: pod('1Mi') });
  assert.ok(!isFault(verdict) && verdict.outcome === 'fault');
  assert.equal(verdict.code, 'PC_OPA_RESULT');
  assert.match(verdict.message, /`engine: gatekeeper`/);
});

test('refused at load: an entry point that is not there, settings that are no object, another gate', async () => {
  const bytes = await readFile(EXAMPLE);
  const refusal = async (spec: Asked): Promise<string> => {
    const fault = await ask(bytes, spec);
    assert.ok(isFault(fault));
    return `${fault.code}: ${fault.message}`;
  };
  assert.equal(
    await refusal({ entrypoint: 'memory_limits/deny' }),
    'PC_OPA_ENTRYPOINT: the module has no entry point `memory_limits/deny`; it has `memory_limits/main`, `memory_limits/messages`, `memory_limits/violation`',
  );
  assert.equal(
    await refusal({ settings: [1] }),
    'PC_POLICY_VALUE: `settings` must be an object: policies in Rego see them as `data`',
  );
  assert.equal(
    await refusal({ gate: 'authorization' }),
    'PC_POLICY_VALUE: modules of the engine `opa` answer the gate admission, not `authorization`',
  );
});

const guest = (parts: Partial<OpaGuest>): Uint8Array => opaGuest({ evaluate: '(i32.const 0)', ...parts });

test('a builtin that is not offered is refused at load by its name', async () => {
  const fault = await ask(guest({ builtins: '{"http.send":0,"sprintf":1,"net.lookup_ip_addr":2}' }));
  assert.ok(isFault(fault));
  assert.equal(fault.code, 'PC_OPA_BUILTIN');
  assert.equal(
    fault.message,
    'the module calls builtin functions that are not offered: `http.send`, `net.lookup_ip_addr`',
  );
});

test('an undefined entry point is a fault, and no violations', async () => {
  for (const engine of [opaEngine, gatekeeperEngine]) {
    const verdict = await ask(guest({ data: '[]' }), { engine });
    assert.ok(!isFault(verdict) && verdict.outcome === 'fault');
    assert.equal(verdict.message, 'its entry point is undefined for this review');
  }
});

test('an abort tells its reason', async () => {
  const evaluate = '(call $abort (i32.const 0)) (i32.const 0)';
  const verdict = await ask(guest({ data: 'var assignment conflict', evaluate }));
  assert.ok(!isFault(verdict) && verdict.outcome === 'fault');
  assert.equal(verdict.code, 'PC_OPA_ABORT');
  assert.equal(verdict.message, 'the policy aborted: var assignment conflict');
});

test('a module that aborts while it loads its data is refused with its reason', async () => {
  const exports = {
    opa_json_parse: '(param i32 i32) (result i32) (call $abort (i32.const 0)) (i32.const 0)',
  };
  const fault = await ask(guest({ data: 'no memory', exports }));
  assert.ok(isFault(fault));
  assert.equal(fault.message, 'the policy aborted: no memory');
});

const ALLOW = '[{"result":{"response":{"allowed":true}}}]';

test('modules before ABI 1.2 are evaluated step by step', async () => {
  const steps = {
    opa_eval: '',
    opa_eval_ctx_set_input: '(param i32 i32) (global.set $heap (i32.add (global.get $heap) (i32.const 1)))',
    opa_eval_ctx_set_data: '(param i32 i32)',
    opa_eval_ctx_set_entrypoint: '(param i32 i32)',
    eval: '(param i32) (result i32) (i32.const 0)',
    opa_eval_ctx_get_result: '(param i32) (result i32) (i32.const 0)',
  };
  const verdict = await ask(guest({ data: ALLOW, exports: steps }));
  assert.ok(!isFault(verdict));
  assert.equal(verdict.outcome, 'allow');
});

test('time and chance come from the ports of the host', async () => {
  // The answer is what the builtin gave: an abort with it.
  const evaluate = '(call $abort (call $builtin0 (i32.const 1) (i32.const 0))) (i32.const 0)';
  const host: EngineHost = {
    ...createTestHost(),
    clock: { now: () => clock.now(), wall: () => 1_700_000_000_123.5 },
  };
  const verdict = await ask(guest({ builtins: '{"time.now_ns":1}', evaluate }), { host });
  assert.ok(!isFault(verdict) && verdict.outcome === 'fault');
  assert.equal(verdict.message, 'the policy aborted: 1700000000123500000');

  const uuid = '(call $abort (call $builtin1 (i32.const 1) (i32.const 0) (i32.const 0))) (i32.const 0)';
  const fixed: EngineHost = { ...host, random: (bytes) => void bytes.fill(0x11) };
  const random = await ask(guest({ data: '"seed"', builtins: '{"uuid.rfc4122":1}', evaluate: uuid }), {
    host: fixed,
  });
  assert.ok(!isFault(random) && random.outcome === 'fault');
  assert.equal(random.message, 'the policy aborted: "11111111-1111-4111-9111-111111111111"');
});

test('what arguments alone decide is remembered at the same fuel; time and chance are not', async () => {
  const question = '(call $abort (call $builtin1 (i32.const 1) (i32.const 0) (i32.const 0))) (i32.const 0)';
  const moment = '(call $abort (call $builtin0 (i32.const 1) (i32.const 0))) (i32.const 0)';
  const modules = {
    amount: guest({ data: '"5Mi"', builtins: '{"units.parse_bytes":1}', evaluate: question }),
    chance: guest({ data: '"seed"', builtins: '{"uuid.rfc4122":1}', evaluate: question }),
    time: guest({ builtins: '{"time.now_ns":1}', evaluate: moment }),
  };
  let tick = 0;
  const host: EngineHost = {
    ...createTestHost(),
    clock: { now: () => clock.now(), wall: () => 1_700_000_000_000 + tick++ },
    random: (bytes) => void bytes.fill(tick),
  };
  const different: Record<string, number> = {};
  for (const [name, bytes] of Object.entries(modules)) {
    const module = await opaEngine.compile(bytes);
    assert.ok(!isFault(module));
    const evaluator = opaEngine.open(module, makePolicy('tested', { settings: null, limits }), host);
    const seen: string[] = [];
    for (let time = 0; time < 4; time++) {
      const { verdict, fuel } = await evaluator.evaluate(makeReview({}), clock.now() + 10_000);
      assert.ok(verdict.outcome === 'fault' && verdict.code === 'PC_OPA_ABORT');
      seen.push(`${verdict.message} ${fuel}`);
    }
    different[name] = new Set(seen).size;
    evaluator.close();
  }
  assert.deepEqual(different, { amount: 1, chance: 4, time: 4 });
});

test('work of a builtin that is too much ends the evaluation', async () => {
  const evaluate = '(drop (call $builtin1 (i32.const 1) (i32.const 0) (i32.const 0))) (i32.const 0)';
  const verdict = await ask(guest({ data: '"::/0"', builtins: '{"net.cidr_expand":1}', evaluate }));
  assert.ok(!isFault(verdict) && verdict.outcome === 'fault');
  assert.match(verdict.code, /^PC_OPA_BUILTIN$|^PC_WASM_FUEL$/);
});

test('a module that asks the host for ever, cheaply, ends with its fuel', async () => {
  const evaluate = '(loop (drop (call $builtin0 (i32.const 1) (i32.const 0))) (br 0)) (i32.const 0)';
  const verdict = await ask(guest({ builtins: '{"opa.runtime":1}', evaluate }));
  assert.ok(!isFault(verdict) && verdict.outcome === 'fault');
  assert.equal(verdict.code, 'PC_WASM_FUEL');
});

test('a module that calls the host from what the host calls ends with its stack', async () => {
  const again = '(param i32) (result i32) (call $builtin1 (i32.const 1) (i32.const 0) (i32.const 0))';
  const evaluate = '(call $builtin1 (i32.const 1) (i32.const 0) (i32.const 0))';
  const verdict = await ask(
    guest({ data: ALLOW, builtins: '{"hex.encode":1}', evaluate, exports: { opa_value_dump: again } }),
  );
  assert.ok(!isFault(verdict) && verdict.outcome === 'fault');
  assert.match(verdict.code, /^PC_WASM_(?:STACK|FUEL)$/);
});

test('denials keep reason, code, warnings and annotations; a patch is read where a policy may answer with one', async () => {
  const answer = (response: JsonValue): Uint8Array =>
    guest({ data: JSON.stringify([{ result: { response } }]) });
  const status = { message: 'no', reason: 'Because', code: 422 };
  const denied = await ask(answer({ allowed: false, status, warnings: ['w'], auditAnnotations: { a: 'b' } }));
  assert.deepEqual(denied, {
    outcome: 'deny',
    message: 'no',
    reason: 'Because',
    code: 422,
    causes: [],
    warnings: ['w'],
    auditAnnotations: { a: 'b' },
  });
  const patch = [{ op: 'add', path: '/metadata/labels', value: {} }];
  const patched = answer({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  });
  const mutated = await ask(patched, { phase: 'mutate' });
  assert.ok(!isFault(mutated) && mutated.outcome === 'allow');
  assert.deepEqual(mutated.mutation, { patch });
  const refused = await ask(patched);
  assert.ok(!isFault(refused) && refused.outcome === 'fault');
  assert.equal(refused.code, 'PC_PLUGIN_MUTATION');
});
