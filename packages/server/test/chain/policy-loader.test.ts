import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import { createPolicyLoader, type PolicyLoader } from '../../src/chain/policy-loader.ts';
import type { PolicySet } from '../../src/chain/policy-set.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { inlineModuleSource } from '../../src/sources/inline/inline-module-source.ts';
import { createModuleResolver } from '../../src/sources/module-resolver.ts';
import type { DocumentReading } from '../../src/sources/source.ts';
import { makePolicy } from '../support/make-policy.ts';
import { allow, createScriptedEngine } from '../support/scripted-engine.ts';
import { createTestHost } from '../support/test-host.ts';

const inline = (script: string): { inline: string } => ({
  inline: Buffer.from(script.padEnd(Math.ceil(script.length / 3) * 3)).toString('base64'),
});

/** `script` is three letters, so that its base64 has no padding. */
function policy(name: string, script = 'yes', order = 100): Policy {
  return makePolicy(name, { engine: 'plugin', order, module: inline(script) });
}

interface Setup {
  readonly loader: PolicyLoader;
  readonly sets: PolicySet[];
  readings: readonly DocumentReading[];
}

function setUp(): Setup {
  const sets: PolicySet[] = [];
  const setup: Setup = {
    sets,
    readings: [],
    loader: createPolicyLoader({
      sources: [{ name: 'test', read: async () => setup.readings, watch: () => () => undefined }],
      modules: createModuleResolver([inlineModuleSource], 1000),
      engines: new Map([['plugin', createScriptedEngine({ yes: () => allow, two: () => allow })]]),
      host: createTestHost(),
      publish: (set) => void sets.push(set),
    }),
  };
  return setup;
}

const reading = (result: Policy | Fault, container: string, name?: string): DocumentReading => ({
  container,
  result,
  ...(name === undefined ? {} : { name }),
});

const names = (set: PolicySet | undefined): readonly string[] | undefined =>
  set?.policies.map((prepared) => prepared.policy.metadata.name);

test('publishes numbered sets in order, and only when something changed', async () => {
  const setup = setUp();
  setup.readings = [
    reading(policy('b', 'yes', 1), 'x'),
    reading(policy('c', 'yes', 2), 'x'),
    reading(policy('a', 'two', 2), 'x'),
  ];
  assert.deepEqual(await setup.loader.reload(), { revision: 1, changed: true, problems: [] });
  assert.deepEqual(names(setup.sets[0]), ['b', 'a', 'c']);
  assert.equal(setup.sets[0]?.modules.size, 2, 'policies with the same bytes share one module');
  assert.equal((await setup.loader.reload()).changed, false);
  assert.equal(setup.sets.length, 1);
});

test('an empty set is published too, so that a server without policies becomes ready', async () => {
  const setup = setUp();
  await setup.loader.reload();
  assert.deepEqual(setup.sets, [{ revision: 1, policies: [], exceptions: [], modules: new Map() }]);
});

test('one bad policy does not take the others down', async () => {
  const setup = setUp();
  setup.readings = [
    reading(policy('good'), 'x'),
    reading(policy('bad', 'no!'), 'x'),
    reading(new Fault('PC_POLICY_SYNTAX', 'y: no'), 'y'),
  ];
  const report = await setup.loader.reload();
  // What is known of it stands in: it cannot answer.
  assert.deepEqual(names(setup.sets[0]), ['bad', 'good']);
  assert.equal(setup.sets[0]?.policies[0]?.unloadable?.code, 'PC_MODULE_MALFORMED');
  assert.deepEqual(
    report.problems.map(({ origin, fault }) => [origin, fault.code]),
    [
      ['x', 'PC_MODULE_MALFORMED'],
      ['y', 'PC_POLICY_SYNTAX'],
    ],
  );
  const status = setup.loader.statuses().find(({ name }) => name === 'bad');
  assert.equal(status?.state, 'refused');
  assert.equal(status.lastGood, false);
  assert.equal(status.standsIn, true);
});

test('a policy that breaks keeps its last good version, module included', async () => {
  const setup = setUp();
  setup.readings = [reading(policy('p'), 'x')];
  await setup.loader.reload();
  for (const broken of [
    reading(policy('p', 'no!'), 'x'),
    reading(new Fault('PC_POLICY_KEY', 'x:3: unknown key'), 'x', 'p'),
    reading(new Fault('PC_POLICY_SYNTAX', 'x: not YAML'), 'x'),
  ]) {
    setup.readings = [broken, reading(policy('q', 'two'), 'y')];
    await setup.loader.reload();
    const set = setup.sets.at(-1);
    assert.deepEqual(names(set), ['p', 'q']);
    assert.ok(set?.policies.every(({ programs: [program] }) => set.modules.has(program?.module ?? '')));
    const status = setup.loader.statuses().find(({ name }) => name === 'p');
    assert.equal(status?.state, 'refused');
    assert.equal(status.lastGood, true);
  }
  setup.readings = [reading(policy('p', 'two'), 'x')];
  await setup.loader.reload();
  assert.equal(setup.loader.statuses()[0]?.state, 'loaded');
});

test('a folder that cannot be read keeps what was in it; a document that is gone is gone', async () => {
  const setup = setUp();
  setup.readings = [reading(policy('p'), '/policies/a.yaml')];
  await setup.loader.reload();
  setup.readings = [reading(new Fault('PC_MODULE_MISSING', 'no folder'), '/policies')];
  await setup.loader.reload();
  assert.deepEqual(
    setup.loader.policies().map(({ metadata }) => metadata.name),
    ['p'],
  );
  setup.readings = [];
  await setup.loader.reload();
  assert.deepEqual(names(setup.sets.at(-1)), []);
});

test('of two policies with one name the first stays', async () => {
  const setup = setUp();
  setup.readings = [reading(policy('p', 'yes'), 'x'), reading(policy('p', 'two'), 'y')];
  const report = await setup.loader.reload();
  assert.equal(setup.sets[0]?.policies.length, 1);
  assert.match(setup.sets[0]?.policies[0]?.programs[0]?.module ?? '', /^plugin:/);
  assert.equal(report.problems[0]?.fault.code, 'PC_POLICY_DUPLICATE');
  assert.equal(report.problems[0].origin, 'y');
});

test('the digest that a policy demands is checked', async () => {
  const setup = setUp();
  const wrong = makePolicy('p', { engine: 'plugin', module: { ...inline('yes'), sha256: '0'.repeat(64) } });
  setup.readings = [reading(wrong, 'x')];
  const { problems } = await setup.loader.reload();
  assert.equal(problems[0]?.fault.code, 'PC_MODULE_DIGEST');
  assert.match(
    problems[0].fault.message,
    /^Plugin p integrity check failed: expected 0{64}, got [0-9a-f]{64}$/,
  );
});

test('reloads that come while one runs are answered by one more', async () => {
  const setup = setUp();
  setup.readings = [reading(policy('a'), 'x')];
  const first = setup.loader.reload();
  setup.readings = [reading(policy('b'), 'x')];
  const [second, third] = await Promise.all([setup.loader.reload(), setup.loader.reload()]);
  await first;
  assert.equal(second, third);
  assert.deepEqual(
    setup.loader.policies().map(({ metadata }) => metadata.name),
    ['b'],
  );
});

test('a policy can be tried without being loaded', async () => {
  const setup = setUp();
  await setup.loader.reload();
  assert.equal(await setup.loader.tryPolicy(policy('p')), undefined);
  assert.equal((await setup.loader.tryPolicy(policy('p', 'no!')))?.code, 'PC_MODULE_MALFORMED');
  assert.deepEqual(setup.loader.policies(), []);
});
