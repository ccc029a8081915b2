import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { isFault } from '../../src/kernel/fault.ts';
import { stringifyExact } from '../../src/kernel/json/json-document.ts';
import { describePolicy } from '../../src/policy/describe-policy.ts';
import { parsePolicies } from '../../src/policy/parse-policies.ts';
import { anyPolicy } from './generated-policies.ts';
import { ORIGIN, policyOf } from './parsing.ts';

test('a described policy parses to the same policy', () => {
  fc.assert(
    fc.property(anyPolicy, (generated) => {
      const policy = { ...generated, origin: { ...ORIGIN, line: 1 } };
      const text = stringifyExact(describePolicy(policy));
      const [parsed] = parsePolicies(text, ORIGIN);
      assert.ok(parsed !== undefined && !isFault(parsed.result));
      // Numbers of any length compare by their text.
      assert.equal(stringifyExact(parsed.result.spec.settings), stringifyExact(policy.spec.settings));
      const plain = ({ metadata, spec }: Pick<Policy, 'metadata' | 'spec'>): unknown =>
        JSON.parse(JSON.stringify({ metadata, spec: { ...spec, settings: undefined } }));
      assert.deepEqual(plain(parsed.result), plain(policy));
      assert.equal(stringifyExact(describePolicy(parsed.result)), text);
    }),
    { seed: 11, numRuns: 300 },
  );
});

test('the document says the limits as people do and leaves out what is empty', () => {
  const policy = policyOf('{ module: { file: a }, limits: { timeout: 1500ms, memory: 16777216 } }');
  assert.deepEqual(describePolicy(policy), {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name: 'a' },
    spec: {
      gate: 'admission',
      phase: 'validate',
      order: 100,
      mode: 'enforce',
      failurePolicy: 'Fail',
      enabled: true,
      match: {},
      module: { file: 'a' },
      settings: null,
      limits: { timeout: '1s500ms', memory: '16Mi', fuel: 10_000_000 },
    },
  });
});

test('a described policy written as YAML parses to the same policy', () => {
  const policy = policyOf('{ module: { file: "yes" }, message: "012", settings: { "no": "off", a: 1.5 } }');
  const [parsed] = parsePolicies(stringify(describePolicy(policy), { version: '1.1' }), ORIGIN);
  assert.deepEqual(parsed, { result: policy });
});
