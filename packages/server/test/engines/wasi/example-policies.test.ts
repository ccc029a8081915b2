import assert from 'node:assert/strict';
import { readdirSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import type { GateName, JsonValue, Policy, Review } from '@portcullis/contract';
import { createWasiHarness } from '@portcullis/sdk';
import { inputTail, wasiInput } from '../../../src/engines/wasi/wasi-input.ts';
import { parseEnvelope } from '../../../src/engines/wasi/parse-envelope.ts';
import { wasiEngine } from '../../../src/engines/wasi/wasi-engine.ts';
import { wasiVerdict } from '../../../src/engines/wasi/wasi-verdict.ts';
import { isFault } from '../../../src/kernel/fault.ts';
import { jsonDocumentOf } from '../../../src/kernel/json/json-document.ts';
import { parsePolicies } from '../../../src/policy/parse-policies.ts';
import { CollectedOutput } from '../../../src/wasm/wasi/wasi-context.ts';
import { makeReview } from '../../support/make-review.ts';
import { clock, createTestHost } from '../../support/test-host.ts';

/** The example policies of this dialect say what their cases expect, here and under Node's own WASI. */

const POLICIES = resolve(import.meta.dirname, '../../../../../policies');

interface Case {
  readonly name: string;
  /** Those of the policy when absent. */
  readonly settings?: JsonValue;
  readonly request: JsonValue;
  readonly expect: Readonly<Record<string, JsonValue>>;
}

interface Cases {
  readonly entry: string;
  readonly cases: readonly Case[];
}

function readPolicy(file: string): Policy {
  const origin = { source: 'file', location: file, directory: dirname(file) };
  const [document] = parsePolicies(readFileSync(file, 'utf8'), origin);
  const result = document?.result;
  assert.ok(result !== undefined && !isFault(result), isFault(result) ? result.message : 'no policy');
  return result;
}

function reviewOf(gate: GateName, request: JsonValue): Review {
  return makeReview({}, { gate, request: jsonDocumentOf(request) });
}

const folders = readdirSync(POLICIES).filter((name) =>
  existsSync(join(POLICIES, name, 'tests/envelopes.json')),
);
assert.ok(folders.length >= 2, 'the example policies were not found');

for (const folder of folders) {
  const policy = readPolicy(join(POLICIES, folder, 'policy.yaml'));
  const bytes = new Uint8Array(readFileSync(resolve(POLICIES, folder, policy.spec.module.file ?? '')));
  const { entry, cases } = JSON.parse(
    readFileSync(join(POLICIES, folder, 'tests/envelopes.json'), 'utf8'),
  ) as Cases;

  describe(`policies/${folder}`, async () => {
    const module = await wasiEngine.compile(bytes);
    assert.ok(!isFault(module), isFault(module) ? module.message : '');
    const oracle = await createWasiHarness(bytes);

    test('is recognised, and starts within its limits', async () => {
      assert.ok(wasiEngine.detect(module.info, bytes));
      assert.equal(await wasiEngine.admit(module, policy, createTestHost()), undefined);
    });

    for (const item of cases) {
      test(item.name, async () => {
        const settings = item.settings === undefined ? policy.spec.settings : item.settings;
        const review = reviewOf(policy.spec.gate, item.request);
        const configured = { ...policy, spec: { ...policy.spec, settings } };
        const evaluator = wasiEngine.open(module, configured, createTestHost());
        for (const run of ['first', 'second']) {
          const { verdict } = await evaluator.evaluate(review, clock.now() + 60_000);
          assert.partialDeepStrictEqual(verdict, item.expect, run);
        }
        evaluator.close();

        const { stdout, exitCode } = oracle.run(entry, Buffer.concat(wasiInput(review, inputTail(settings))));
        assert.equal(exitCode, 0);
        const output = new CollectedOutput(1 << 20);
        output.take(stdout);
        const question = { review, phase: policy.spec.phase, policy: policy.metadata.name };
        assert.partialDeepStrictEqual(wasiVerdict({ output }, question), item.expect);
        assert.ok(item.expect['outcome'] === 'fault' || !isFault(parseEnvelope(stdout)));
      });
    }
  });
}
