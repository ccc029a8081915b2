import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision, Review, Verdict } from '@portcullis/contract';
import { createChain, type Chain } from '../../src/chain/chain.ts';
import { createPolicyLoader, type PolicyLoader } from '../../src/chain/policy-loader.ts';
import { Fault, isFault } from '../../src/kernel/fault.ts';
import { parseDocuments } from '../../src/policy/parse-policies.ts';
import { inlineModuleSource } from '../../src/sources/inline/inline-module-source.ts';
import { createModuleResolver } from '../../src/sources/module-resolver.ts';
import type { DocumentReading } from '../../src/sources/source.ts';
import { makeReview, withObject } from '../support/make-review.ts';
import {
  allow,
  createScriptedEngine,
  deny,
  type ScriptedEngine,
  type Script,
} from '../support/scripted-engine.ts';
import { createTestHost } from '../support/test-host.ts';

/** Loader and chain as the server has them; the module of a policy is the name of a script, in base64. */
interface Setup {
  readonly chain: Chain;
  readonly loader: PolicyLoader;
  readonly engine: ScriptedEngine;
  /** What the only source has; YAML documents or faults. */
  load(...documents: readonly (string | DocumentReading)[]): Promise<readonly string[]>;
  decide(review?: Review, phase?: 'validate' | 'mutate'): Promise<Decision>;
}

const NOW = Date.parse('2026-06-01T00:00:00Z');

function setUp(scripts: Readonly<Record<string, Script>>): Setup {
  const engine = createScriptedEngine(scripts);
  const host = createTestHost();
  const clock = { ...host.clock, wall: () => NOW };
  const engines = new Map([['plugin' as const, engine]]);
  const chain = createChain({
    engines,
    host: { ...host, clock },
    namespaceLabels: () => undefined,
    observer: { decided: () => undefined, refused: () => undefined },
  });
  let readings: readonly DocumentReading[] = [];
  const loader = createPolicyLoader({
    sources: [{ name: 'test', read: async () => readings, watch: () => () => undefined }],
    modules: createModuleResolver([inlineModuleSource], 1000),
    engines,
    host,
    publish: (set) => chain.install(set),
  });
  return {
    chain,
    loader,
    engine,
    async load(...documents) {
      readings = documents.flatMap((document) =>
        typeof document === 'string'
          ? parseDocuments(document, { source: 'file', location: 'test.yaml' }).map((parsed) => ({
              container: 'test.yaml',
              ...parsed,
            }))
          : [document],
      );
      return (await loader.reload()).problems.map(({ fault }) => fault.message);
    },
    async decide(review = makeReview(), phase = 'validate') {
      const decision = await chain.decide(review, { phase, withObject });
      assert.ok(!isFault(decision));
      return decision;
    },
  };
}

const module = (script: string): string => `{ inline: "${Buffer.from(script).toString('base64')}" }`;
const document = (kind: string, name: string, spec: string): string =>
  `apiVersion: portcullis.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const policy = (name: string, script = name, more = ''): string =>
  document('Policy', name, `{ engine: plugin, module: ${module(script)}${more} }`);
const group = (expression: string, members: readonly string[]): string =>
  document(
    'PolicyGroup',
    'both',
    `{ expression: "${expression}", message: neither rule holds, members: { ${members
      .map((member) => `${member}: { engine: plugin, module: ${module(member)} }`)
      .join(', ')} } }`,
  );
const exception = (policies: string, more = ''): string =>
  document(
    'PolicyException',
    'legacy',
    `{ policies: [${policies}], expires: 2026-12-31T00:00:00Z, reason: r${more} }`,
  );

const fault: Verdict = { outcome: 'fault', code: 'PC_WASM_TRAP', message: 'unreachable' };

describe('a group', () => {
  test('denies with its message, and each member that was asked and denied is a cause', async () => {
    const { load, decide } = setUp({
      one: () => ({ ...deny('not signed'), warnings: ['old key'] }),
      two: () => deny('not trusted'),
      six: () => allow,
    });
    assert.deepEqual(await load(group('(one() || two()) && six()', ['one', 'two', 'six'])), []);
    const decision = await decide();
    assert.equal(decision.outcome, 'deny');
    assert.equal(decision.message, '[both] neither rule holds');
    assert.deepEqual(
      decision.causes.map(({ field, message }) => [field, message]),
      [
        [undefined, '[both] not signed; not trusted'],
        ['spec.members.one', '[both] not signed'],
        ['spec.members.two', '[both] not trusted'],
      ],
    );
    assert.deepEqual(decision.warnings, ['[both] one: old key']);
    // Two members were asked; the third could not have changed anything.
    assert.equal(decision.contributions[0]?.fuel, 14);
  });

  test('asks a member once, however often it is called', async () => {
    let asked = 0;
    const { load, decide } = setUp({
      one: () => {
        asked += 1;
        return asked === 1 ? allow : deny('asked again');
      },
    });
    await load(group('one() && (one() ? one() : false)', ['one']));
    assert.equal((await decide()).outcome, 'allow');
    assert.equal(asked, 1);
  });

  const faults: readonly (readonly [string, Script, RegExp])[] = [
    ['a fault', () => fault, /member `one`: unreachable/],
    ['a mutation', () => ({ ...allow, mutation: { patch: [] } }), /wants to change the object/],
    ['no opinion', () => ({ outcome: 'abstain', warnings: [], auditAnnotations: {} }), /has no opinion/],
  ];
  for (const [what, script, message] of faults) {
    test(`${what} of a member that counts is a fault of the group, and denies`, async () => {
      const { load, decide } = setUp({ one: script, two: () => allow });
      await load(group('one() && two()', ['one', 'two']));
      const decision = await decide();
      assert.equal(decision.outcome, 'deny');
      assert.equal(decision.contributions[0]?.outcome, 'fault');
      assert.match(decision.contributions[0].message ?? '', message);
      await load(group('one() || two()', ['one', 'two']));
      assert.equal((await decide()).outcome, 'allow');
    });
  }

  test('a member that throws leaves no way to an allow', async () => {
    const { load, decide } = setUp({
      one: () => {
        throw new Error('defect');
      },
      two: () => allow,
    });
    await load(group('!one() || two()', ['one', 'two']));
    assert.equal((await decide()).outcome, 'deny');
  });

  test('a member that cannot be loaded refuses the group, and says which one it is', async () => {
    const { load, loader } = setUp({ one: () => allow });
    const [problem] = await load(group('one() && bad()', ['one', 'bad']));
    assert.match(problem ?? '', /^member `both\/bad`: no script `bad`/);
    assert.equal(loader.statuses()[0]?.state, 'refused');
  });

  test('closes what it opened', async () => {
    const { load, engine } = setUp({ one: () => allow, two: () => allow });
    await load(group('one() && two()', ['one', 'two']));
    await load();
    assert.deepEqual([...engine.opened.values()], [0, 0]);
  });
});

describe('an exception', () => {
  test('keeps a denial from taking effect; the policy is asked, and what it said is kept', async () => {
    const { load, decide } = setUp({ one: () => deny('no'), two: () => deny('never') });
    await load(policy('one'), policy('two'), exception('one'));
    const decision = await decide();
    assert.equal(decision.message, '[two] never');
    assert.equal(decision.auditAnnotations['one/excepted'], 'legacy: no');
    assert.deepEqual(
      decision.contributions.map(({ policy: name, outcome, exception: by }) => [name, outcome, by]),
      [
        ['one', 'deny', 'legacy'],
        ['two', 'deny', undefined],
      ],
    );
  });

  test('keeps a fault from denying, and a mutation from being made', async () => {
    const { load, decide } = setUp({
      one: () => fault,
      two: () => ({ ...allow, mutation: { patch: [{ op: 'add', path: '/x', value: 1 }] } }),
    });
    await load(policy('one'), policy('two', 'two', ', phase: mutate'), exception('"*"'));
    assert.equal((await decide()).outcome, 'allow');
    const mutated = await decide(makeReview({ a: 1 }), 'mutate');
    assert.equal(mutated.outcome, 'allow');
    assert.equal(mutated.patch, undefined);
    assert.equal(mutated.auditAnnotations['two/excepted'], 'legacy');
  });

  test('is in force and out of force without the policies being opened anew', async () => {
    const { load, decide, engine } = setUp({ one: () => deny('no') });
    await load(policy('one'));
    assert.equal((await decide()).outcome, 'deny');
    await load(policy('one'), exception('one'));
    assert.equal((await decide()).outcome, 'allow');
    await load(policy('one'));
    assert.equal((await decide()).outcome, 'deny');
    assert.equal(engine.opened.get('one'), 1);
  });

  test('that is over excepts nothing and is told', async () => {
    const { load, decide, loader } = setUp({ one: () => deny('no') });
    await load(policy('one'), exception('one').replace('2026-12-31', '2026-05-31'));
    assert.equal((await decide()).outcome, 'deny');
    assert.deepEqual(
      loader.exceptions(NOW).map(({ name, state }) => [name, state]),
      [['legacy', 'expired']],
    );
  });

  test('that breaks stays what it was, until it is gone', async () => {
    const { load, decide, loader } = setUp({ one: () => deny('no') });
    await load(policy('one'), exception('one'));
    const [problem] = await load(policy('one'), exception('one', ', user: x'));
    assert.match(problem ?? '', /spec\.user: unknown key/);
    assert.equal((await decide()).outcome, 'allow');
    assert.equal(loader.exceptions(NOW)[0]?.problem?.code, 'PC_POLICY_KEY');
    await load(policy('one'));
    assert.equal((await decide()).outcome, 'deny');
  });

  test('may have the name of a policy; of two with one name the first counts', async () => {
    const { load, loader } = setUp({ one: () => allow });
    const second = exception('two').replace('reason: r', 'reason: second');
    const problems = await load(policy('legacy', 'one'), exception('one'), second);
    assert.match(problems[0] ?? '', /there is another exception named `legacy`/);
    assert.equal(loader.exceptions(NOW).find(({ name }) => name === 'legacy')?.reason, 'r');
    assert.equal(loader.policy('legacy')?.metadata.name, 'legacy');
  });

  test('a broken document that has no name excepts nothing', async () => {
    const { load, decide } = setUp({ one: () => deny('no') });
    const broken: DocumentReading = {
      container: 'x',
      kind: 'exception',
      result: new Fault('PC_POLICY_SYNTAX', 'x: not YAML'),
    };
    await load(policy('one'), broken);
    assert.equal((await decide()).outcome, 'deny');
  });
});

describe('a policy of which nothing was ever loaded', () => {
  test('denies what it matches, by its failure policy, and nothing else', async () => {
    const { load, decide, loader } = setUp({ one: () => allow });
    const match = ', match: { namespaces: [judged] }';
    const problems = await load(policy('one'), policy('gone', 'gone', match));
    assert.match(problems[0] ?? '', /no script `gone`/);
    const within = makeReview(undefined, { namespace: 'judged' });
    const decision = await decide(within);
    assert.equal(decision.outcome, 'deny');
    assert.match(decision.message ?? '', /^\[gone\] the policy is not loaded: no script `gone`/);
    assert.equal((await decide(makeReview(undefined, { namespace: 'other' }))).outcome, 'allow');
    assert.deepEqual(
      loader.statuses().map(({ name, state, lastGood, standsIn }) => [name, state, lastGood, standsIn]),
      [
        ['one', 'loaded', false, false],
        ['gone', 'refused', false, true],
      ],
    );
    await load(policy('one'), policy('gone', 'gone', `${match}, failurePolicy: Ignore`));
    const ignored = await decide(within);
    assert.equal(ignored.outcome, 'allow');
    assert.match(ignored.warnings[0] ?? '', /the policy is not loaded and was passed over/);
  });

  test('is loaded when what it needs is there, and is then the last good one', async () => {
    const scripts: Record<string, Script> = {};
    const { load, decide, loader } = setUp(scripts);
    await load(policy('one'));
    assert.equal((await decide()).outcome, 'deny');
    scripts['one'] = () => allow;
    await load(policy('one', 'one', ', order: 7'));
    assert.equal((await decide()).outcome, 'allow');
    await load(policy('one', 'gone'));
    assert.equal((await decide()).outcome, 'allow');
    assert.equal(loader.status('one')?.lastGood, true);
  });

  test('by whose match nothing can be told stands in for nothing', async () => {
    const { load, decide, loader } = setUp({ one: () => allow });
    await load(policy('one', 'one', ', match: { conditions: [{ name: c, expression: "object." }] }'));
    assert.equal((await decide()).outcome, 'allow');
    assert.equal(loader.status('one')?.standsIn, false);
  });
});
