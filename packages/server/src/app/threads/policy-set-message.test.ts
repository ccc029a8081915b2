import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicies } from '../../policy/parse-policies.ts';
import { isFault } from '../../kernel/fault.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { decodePolicySet, encodePolicySet } from './policy-set-message.ts';

const DOCUMENT = `apiVersion: portcullis.dev/v1
kind: Policy
metadata: { name: exact }
spec:
  module: { file: ./a.wasm }
  settings: { id: 9007199254740993, list: [1, two, null] }
`;

test('a set survives the way to a thread, numbers beyond doubles included', () => {
  const [parsed] = parsePolicies(DOCUMENT, { source: 'file', location: 'a.yaml' });
  assert.ok(parsed !== undefined && !isFault(parsed.result));
  const prepared = { policy: parsed.result, engine: 'plugin', module: 'plugin:1', fingerprint: '2' } as const;
  const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  const sent = structuredClone(
    encodePolicySet({ revision: 3, policies: [prepared], modules: new Map([['plugin:1', module]]) }),
  );
  const set = decodePolicySet(sent);
  assert.equal(set.revision, 3);
  assert.equal(
    stringifyExact(set.policies[0]?.policy.spec.settings ?? null),
    '{"id":9007199254740993,"list":[1,"two",null]}',
  );
  assert.deepEqual({ ...set.policies[0], policy: undefined }, { ...prepared, policy: undefined });
});
