import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Policy } from '@portcullis/contract';
import { compareOrder, type PolicySet, type PreparedPolicy } from '../../chain/policy-set.ts';
import { isFault } from '../../kernel/fault.ts';
import { atOnce } from '../../kernel/in-slices.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { parsePolicies } from '../../policy/parse-policies.ts';
import { decodePolicySet, encodePolicySet } from './policy-set-message.ts';

function policyOf(name: string, order: number, module: string): Policy {
  const document = `apiVersion: portcullis.dev/v1
kind: Policy
metadata: { name: ${name} }
spec:
  order: ${order}
  module: { ${module} }
  settings: { id: 9007199254740993, list: [1, two, null] }
`;
  const [parsed] = parsePolicies(document, { source: 'file', location: 'a.yaml' });
  assert.ok(parsed !== undefined && !isFault(parsed.result));
  return parsed.result;
}

function send(set: PolicySet, base?: PolicySet, held?: PolicySet): PolicySet | undefined {
  return atOnce(decodePolicySet(structuredClone(encodePolicySet(set, base)), held));
}

test('a set survives the way to a thread, numbers beyond doubles included; code goes compiled', () => {
  const policy = policyOf('exact', 1, 'inline: AGFzbQEAAAA=');
  const programs = [{ engine: 'plugin', module: 'plugin:1' }] as const;
  const prepared: PreparedPolicy = { policy, programs, fingerprint: '2' };
  const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  const set = send({
    revision: 3,
    policies: [prepared],
    exceptions: [],
    modules: new Map([['plugin:1', module]]),
  });
  const received = set?.policies[0];
  assert.equal(set?.revision, 3);
  assert.equal(
    stringifyExact(received?.policy.spec.settings ?? null),
    '{"id":9007199254740993,"list":[1,"two",null]}',
  );
  assert.deepEqual(received?.policy.spec.module, {});
  assert.deepEqual({ ...received, policy: undefined }, { ...prepared, policy: undefined });
  assert.ok(set.modules.get('plugin:1') instanceof WebAssembly.Module);
});

test('a change of another set is refused', () => {
  const sets = [1, 2, 3].map((revision): PolicySet => ({
    revision,
    policies: [],
    exceptions: [],
    modules: new Map(),
  }));
  assert.equal(send(sets[2] as PolicySet, sets[1], sets[0]), undefined);
  assert.equal(send(sets[2] as PolicySet, sets[1]), undefined);
  assert.equal(send(sets[2] as PolicySet, undefined, sets[0])?.revision, 3);
});

/** Names with an order and a module. */
const anySet = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
  fc.record({ order: fc.integer({ min: 0, max: 3 }), module: fc.constantFrom('x', 'y', 'z') }),
);

function setOf(
  revision: number,
  content: Readonly<Record<string, { order: number; module: string }>>,
): PolicySet {
  const policies = Object.entries(content)
    .map(([name, { order, module }]): PreparedPolicy => {
      const policy = policyOf(name, order, `file: ${module}`);
      return { policy, programs: [{ engine: 'plugin', module }], fingerprint: `${name} ${order} ${module}` };
    })
    .sort(compareOrder);
  const modules = policies.flatMap(({ programs }) => programs.map(({ module }) => module));
  return {
    revision,
    policies,
    exceptions: [],
    modules: new Map(modules.map((module) => [module, { module }])),
  };
}

test('changes one after the other make the same set as the last one sent whole', () => {
  fc.assert(
    fc.property(fc.array(anySet, { minLength: 1, maxLength: 6 }), (contents) => {
      let held: PolicySet | undefined;
      let base: PolicySet | undefined;
      for (const [index, content] of contents.entries()) {
        const set = setOf(index + 1, content);
        held = send(set, base, held);
        base = set;
        const whole = send(set);
        assert.ok(held !== undefined && whole !== undefined);
        assert.deepEqual(held.policies, whole.policies);
        assert.deepEqual(Object.fromEntries(held.modules), Object.fromEntries(whole.modules));
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});
