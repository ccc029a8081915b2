import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision, DecisionRecord, Policy, PolicySpec, Verdict } from '@portcullis/contract';
import { createChain, type Chain } from '../../src/chain/chain.ts';
import type { PolicySet } from '../../src/chain/policy-set.ts';
import type { EngineHost } from '../../src/engines/engine.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { makePolicy } from '../support/make-policy.ts';
import { makeReview, withObject } from '../support/make-review.ts';
import {
  allow,
  createScriptedEngine,
  deny,
  type Script,
  type ScriptedEngine,
} from '../support/scripted-engine.ts';
import { createTestHost } from '../support/test-host.ts';

interface Setup {
  readonly chain: Chain;
  readonly engine: ScriptedEngine;
  readonly records: DecisionRecord[];
  readonly host: EngineHost;
  install(policies: readonly Policy[]): void;
  installInSlices(policies: readonly Policy[]): Promise<void>;
}

/** Policies whose name is also the name of their script. */
function setUp(
  scripts: Readonly<Record<string, Script>>,
  specs: Readonly<Record<string, Partial<PolicySpec>>> = {},
): Setup {
  const engine = createScriptedEngine(scripts);
  const records: DecisionRecord[] = [];
  const host = createTestHost();
  const chain = createChain({
    engines: new Map([['plugin', engine]]),
    host,
    namespaceLabels: () => undefined,
    observer: { decided: (record) => void records.push(record), refused: () => undefined },
  });
  let revision = 0;
  const next = (policies: readonly Policy[]): PolicySet => {
    revision += 1;
    return {
      revision,
      policies: policies.map((policy) => ({
        policy,
        programs: [{ engine: 'plugin', module: policy.metadata.name }],
        fingerprint: JSON.stringify(policy),
      })),
      exceptions: [],
      modules: new Map(policies.map(({ metadata: { name } }) => [name, { name }])),
    };
  };
  const install = (policies: readonly Policy[]): void => chain.install(next(policies));
  install(Object.keys(scripts).map((name) => makePolicy(name, specs[name])));
  const installInSlices = (policies: readonly Policy[]): Promise<void> =>
    chain.installInSlices(next(policies));
  return { chain, engine, records, host, install, installInSlices };
}

async function decide(
  chain: Chain,
  phase: 'validate' | 'mutate' = 'validate',
  review: ReturnType<typeof makeReview> = makeReview(),
): Promise<Decision> {
  const decision = await chain.decide(review, { phase, withObject });
  assert.ok(!isFault(decision));
  return decision;
}

const allowed = { outcome: 'allow', warnings: [], auditAnnotations: {} } as const;
const fault: Verdict = {
  outcome: 'fault',
  code: 'PC_WASM_TRAP',
  message: 'Plugin execution failed: unreachable',
};

test('every denial of a review is in one message, with names, first reason and prefixed causes', async () => {
  const { chain } = setUp({
    one: () => ({ ...deny('no latest tag'), reason: 'PolicyViolation', warnings: ['careful'] }),
    two: () => ({
      ...deny('no root'),
      reason: 'Second',
      causes: [{ field: 'spec.user', message: 'is root' }],
    }),
    three: () => ({ ...allow, auditAnnotations: { checked: 'yes' } }),
  });
  const decision = await decide(chain);
  assert.equal(decision.outcome, 'deny');
  assert.equal(decision.message, '[one] no latest tag; [two] no root');
  assert.equal(decision.reason, 'PolicyViolation');
  assert.deepEqual(decision.causes, [{ field: 'spec.user', message: '[two] is root' }]);
  assert.deepEqual(decision.warnings, ['[one] careful']);
  assert.deepEqual(decision.auditAnnotations, { 'three/checked': 'yes' });
  assert.deepEqual(
    decision.contributions.map(({ policy, outcome, fuel }) => [policy, outcome, fuel]),
    [
      ['one', 'deny', 7],
      ['two', 'deny', 7],
      ['three', 'allow', 7],
    ],
  );
});

test('a fault denies under Fail and allows with a warning under Ignore', async () => {
  const scripts = { trap: () => fault };
  const strict = await decide(setUp(scripts).chain);
  assert.equal(strict.outcome, 'deny');
  assert.equal(strict.message, '[trap] Plugin execution error: Plugin execution failed: unreachable');
  assert.equal(strict.reason, 'PluginError');
  const open = await decide(setUp(scripts, { trap: { failurePolicy: 'Ignore' } }).chain);
  assert.equal(open.outcome, 'allow');
  assert.deepEqual(open.warnings, [
    '[trap] Plugin failed but fail-open is enabled: Plugin execution failed: unreachable',
  ]);
});

test('Ignore never turns a denial into an allow', async () => {
  const decision = await decide(
    setUp({ strict: () => deny('no') }, { strict: { failurePolicy: 'Ignore' } }).chain,
  );
  assert.equal(decision.outcome, 'deny');
});

test('an engine that throws, and an answer that is none, are never an allow', async () => {
  const throwing = await decide(
    setUp({
      throws: () => {
        throw new Error('defect');
      },
    }).chain,
  );
  assert.equal(throwing.outcome, 'deny');
  const abstaining = await decide(
    setUp({ silent: () => ({ outcome: 'abstain', warnings: [], auditAnnotations: {} }) }).chain,
  );
  assert.equal(abstaining.outcome, 'deny');
  assert.equal(abstaining.message, '[silent] policy gave no answer');
});

test('warn tells the client what enforce would do; audit only records it', async () => {
  const scripts = { policy: () => ({ ...deny('no latest tag'), warnings: ['also this'] }) };
  const warned = await decide(setUp(scripts, { policy: { mode: 'warn' } }).chain);
  assert.equal(warned.outcome, 'allow');
  assert.deepEqual(warned.warnings, ['[policy] also this', '[policy] would be denied: no latest tag']);
  const audited = await decide(setUp(scripts, { policy: { mode: 'audit' } }).chain);
  assert.equal(audited.outcome, 'allow');
  assert.deepEqual(audited.warnings, []);
  assert.deepEqual(audited.auditAnnotations, { 'policy/denied': 'no latest tag' });
  assert.equal(audited.contributions[0]?.outcome, 'deny');
});

test('the message of the policy document replaces the text, which moves to the causes', async () => {
  const { chain } = setUp(
    { policy: () => deny('technical') },
    { policy: { message: 'ask the platform team' } },
  );
  const decision = await decide(chain);
  assert.equal(decision.message, '[policy] ask the platform team');
  assert.deepEqual(decision.causes, [{ message: '[policy] technical' }]);
});

const labelled = (key: string): Verdict => ({
  ...allowed,
  mutation: { patch: [{ op: 'add', path: `/metadata/${key}`, value: 'x' }] },
});

test('mutating policies run in order, each on the result of the one before', async () => {
  const seen: unknown[] = [];
  const { chain } = setUp(
    {
      second: (review) => {
        seen.push(review.object?.value());
        return labelled('b');
      },
      first: () => labelled('a'),
    },
    { first: { phase: 'mutate', order: 1 }, second: { phase: 'mutate', order: 2 } },
  );
  // The loader sorts; here the set is given in order.
  const sorted = setUp(
    { first: () => labelled('a'), second: (review) => (seen.push(review.object?.value()), labelled('b')) },
    {
      first: { phase: 'mutate' },
      second: { phase: 'mutate' },
    },
  );
  const decision = await decide(sorted.chain, 'mutate');
  assert.deepEqual(seen, [{ metadata: { name: 'web', a: 'x' } }]);
  assert.deepEqual(decision.patch, [
    { op: 'add', path: '/metadata/a', value: 'x' },
    { op: 'add', path: '/metadata/b', value: 'x' },
  ]);
  chain.close();
});

test('a patch that does not apply is a fault of its policy, and an earlier patch still counts under Ignore', async () => {
  const bad: Verdict = { ...allowed, mutation: { patch: [{ op: 'remove', path: '/absent' }] } };
  const specs = { good: { phase: 'mutate' }, bad: { phase: 'mutate', failurePolicy: 'Ignore' } } as const;
  const { chain } = setUp({ good: () => labelled('a'), bad: () => bad }, specs);
  const decision = await decide(chain, 'mutate');
  assert.equal(decision.outcome, 'allow');
  assert.equal(decision.patch?.length, 1);
  assert.equal(decision.contributions[1]?.fault, 'PC_PATCH_APPLY');
  assert.match(decision.warnings[0] ?? '', /^\[bad\] Plugin failed but fail-open is enabled: /);

  const strict = await decide(setUp({ bad: () => bad }, { bad: { phase: 'mutate' } }).chain, 'mutate');
  assert.equal(strict.outcome, 'deny');
});

test('a denial ends the mutating phase and carries no patch', async () => {
  let asked = false;
  const specs = { a: { phase: 'mutate' }, b: { phase: 'mutate' }, c: { phase: 'mutate' } } as const;
  const { chain } = setUp(
    { a: () => labelled('a'), b: () => deny('no'), c: () => ((asked = true), allow) },
    specs,
  );
  const decision = await decide(chain, 'mutate');
  assert.equal(decision.outcome, 'deny');
  assert.equal(decision.patch, undefined);
  assert.equal(asked, false);
});

test('under warn and audit a mutation is not applied', async () => {
  const warned = await decide(
    setUp({ m: () => labelled('a') }, { m: { phase: 'mutate', mode: 'warn' } }).chain,
    'mutate',
  );
  assert.equal(warned.patch, undefined);
  assert.deepEqual(warned.warnings, ['[m] would be changed']);
});

test('a whole object as mutation becomes a minimal patch', async () => {
  const object = { metadata: { name: 'web', labels: { team: 'a' } } };
  const { chain } = setUp({ m: () => ({ ...allow, mutation: { object } }) }, { m: { phase: 'mutate' } });
  const decision = await decide(chain, 'mutate');
  assert.deepEqual(decision.patch, [{ op: 'add', path: '/metadata/labels', value: { team: 'a' } }]);
});

test('fields that a policy did not return stay, with a warning and their number', async () => {
  const object = { metadata: { name: 'web', labels: { team: 'a' } } };
  const { chain } = setUp({ m: () => ({ ...allow, mutation: { object } }) }, { m: { phase: 'mutate' } });
  const known = makeReview({ metadata: { name: 'web' }, spec: { a: 1 }, status: { b: 2 } });
  for (const [review, kept] of [
    [known, 2],
    [makeReview({ metadata: { name: 'web' } }), undefined],
  ] as const) {
    const decision = await chain.decide(review, { phase: 'mutate', withObject });
    assert.ok(!isFault(decision));
    assert.deepEqual(decision.patch, [{ op: 'add', path: '/metadata/labels', value: { team: 'a' } }]);
    assert.equal(decision.contributions[0]?.keptFields, kept);
    assert.deepEqual(
      decision.warnings,
      kept === undefined ? [] : ['[m] kept fields not returned by the policy: /spec, /status'],
    );
  }
});

test('one policy alone can be asked; an unknown one is a fault', async () => {
  const { chain } = setUp({ a: () => deny('a'), b: () => deny('b') });
  const decision = await chain.decide(makeReview(), { phase: 'validate', policy: 'b', withObject });
  assert.equal(!isFault(decision) && decision.message, '[b] b');
  const unknown = await chain.decide(makeReview(), { phase: 'validate', policy: 'c', withObject });
  assert.equal(isFault(unknown) && unknown.code, 'PC_NOT_FOUND');
});

test('a disabled policy is never asked', async () => {
  const { chain } = setUp({ a: () => deny('a') }, { a: { enabled: false } });
  assert.equal((await decide(chain)).outcome, 'allow');
});

test('a review finishes on the set it began with, and evaluators close after it', async () => {
  const gate = Promise.withResolvers<Verdict>();
  const { chain, engine, install } = setUp({ slow: () => gate.promise });
  const pending = decide(chain);
  install([]);
  assert.equal(engine.opened.get('slow'), 1, 'still open while the review runs');
  gate.resolve(deny('old set'));
  const decision = await pending;
  assert.equal(decision.message, '[slow] old set');
  assert.equal(decision.revision, 1);
  assert.equal(engine.opened.get('slow'), 0);
  assert.equal((await decide(chain)).revision, 2);
});

test('a set decides when its instances have been made, and the old one until then', async () => {
  const { chain, host, installInSlices } = setUp({ a: () => allow });
  const gate = Promise.withResolvers<void>();
  host.runtime.start(() => gate.promise);
  const installed = installInSlices([makePolicy('a')]);
  for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate);
  assert.equal((await decide(chain)).revision, 1);
  gate.resolve();
  await installed;
  assert.equal((await decide(chain)).revision, 2);
});

test('what has not changed stays open through a new set', async () => {
  const { chain, engine, install } = setUp({ a: () => allow, b: () => allow });
  install([makePolicy('a'), makePolicy('b', { order: 1 })]);
  assert.deepEqual(
    [...engine.opened],
    [
      ['a', 1],
      ['b', 1],
    ],
  );
  assert.equal(chain.revision, 2);
});

test('every decision is reported once, with its outcome', async () => {
  const { chain, records } = setUp({ a: () => deny('no') });
  await decide(chain);
  assert.equal(records.length, 1);
  assert.equal(records[0]?.outcome, 'deny');
  assert.equal(records[0]?.uid, 'uid-1');
  assert.equal(records[0]?.contributions[0]?.policy, 'a');
});

test('one class: only policies whose absence means the same to a request', async () => {
  const { chain } = setUp(
    { strict: () => deny('strict'), lenient: () => deny('lenient'), watched: () => deny('watched') },
    { lenient: { failurePolicy: 'Ignore' }, watched: { mode: 'audit' } },
  );
  const asked = async (failureClass: 'Fail' | 'Ignore'): Promise<readonly string[]> => {
    const decision = await chain.decide(makeReview(), { phase: 'validate', failureClass, withObject });
    assert.ok(!isFault(decision));
    return decision.contributions.map(({ policy }) => policy);
  };
  assert.deepEqual(await asked('Fail'), ['strict']);
  assert.deepEqual(await asked('Ignore'), ['lenient', 'watched']);
});

test('before the first set nothing is allowed', async () => {
  const { records, ...rest } = setUp({});
  const chain = createChain({
    engines: new Map([['plugin', rest.engine]]),
    host: createTestHost(),
    namespaceLabels: () => undefined,
    observer: { decided: () => undefined, refused: () => undefined },
  });
  for (const phase of ['validate', 'mutate'] as const) {
    const decision = await chain.decide(makeReview(), { phase, withObject });
    assert.equal(isFault(decision) && decision.code, 'PC_NOT_READY');
  }
  assert.equal(
    (await decide(rest.chain)).outcome,
    'allow',
    'an empty set was loaded, which is another thing',
  );
  assert.equal(records.length, 1);
});

test('a verdict of no known kind is never an allow', async () => {
  const odd = { outcome: 'Allow', warnings: [], auditAnnotations: {} } as unknown as Verdict;
  for (const mode of ['enforce', 'warn', 'audit'] as const) {
    const decision = await decide(setUp({ odd: () => odd }, { odd: { mode } }).chain);
    assert.equal(decision.outcome, 'deny');
  }
});

test('a policy of another gate is not there for this one', async () => {
  const { chain } = setUp({ login: () => deny('no') }, { login: { gate: 'authentication' } });
  const decision = await chain.decide(makeReview(), { phase: 'validate', policy: 'login', withObject });
  assert.equal(isFault(decision) && decision.code, 'PC_NOT_FOUND');
});

test('a mutation that cannot even be tried is a fault of its policy', async () => {
  const hostile: Verdict = {
    ...allowed,
    mutation: {
      get object(): never {
        throw new RangeError('Invalid string length');
      },
    },
  };
  const specs = (failurePolicy: 'Fail' | 'Ignore') => ({ m: { phase: 'mutate', failurePolicy } }) as const;
  const strict = await decide(setUp({ m: () => hostile }, specs('Fail')).chain, 'mutate');
  assert.equal(strict.outcome, 'deny');
  assert.equal(strict.contributions[0]?.fault, 'PC_INTERNAL');
  const open = await decide(setUp({ m: () => hostile }, specs('Ignore')).chain, 'mutate');
  assert.equal(open.outcome, 'allow');
  assert.equal(open.patch, undefined);
});

test('a few of the fields that a policy lost are named, however many there are', async () => {
  const spec = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`field${index}`, index]));
  const { chain } = setUp(
    { m: () => ({ ...allow, mutation: { object: { metadata: { name: 'web' }, spec: { added: 1 } } } }) },
    { m: { phase: 'mutate' } },
  );
  const decision = await decide(chain, 'mutate', makeReview({ metadata: { name: 'web' }, spec }));
  const [warning = ''] = decision.warnings;
  assert.match(warning, /^\[m\] kept fields not returned by the policy: \/spec\/field0, /);
  assert.match(warning, /, and 4980 more$/);
  assert.ok(warning.length < 1000);
});
