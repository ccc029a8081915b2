import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gatekeeperEngine, opaEngine } from '../../packages/server/src/engines/opa/opa-engine.ts';
import { isFault } from '../../packages/server/src/kernel/fault.ts';
import { makePolicy } from '../../packages/server/test/support/make-policy.ts';
import { makeReview } from '../../packages/server/test/support/make-review.ts';
import { clock, createTestHost } from '../../packages/server/test/support/test-host.ts';
import { endToEndRequired, missingComponent, opaBinary, opaOracleBinary } from '../support/components.ts';
import { createCryptoExpressions } from '../support/opa-crypto-expressions.ts';
import { EXPRESSIONS } from '../support/opa-expressions.ts';
import { startOpaOracle, type OpaOracle } from '../support/opa-oracle.ts';
import { evaluateQuery, readConformanceCases, type ConformanceCase } from '../support/opa-query.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const FOLDER = join(import.meta.dirname, '../../policies/memory-limits-rego');
const CONFORMANCE = process.env['PORTCULLIS_OPA_CONFORMANCE'];
/** By note, with the reason. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'time/time caching': 'it calls `test.sleep`, which only the runner of the cases declares',
};

describe('modules of OPA, and OPA itself as oracle', { skip: skipReason() }, () => {
  const host = createTestHost();
  let oracle: OpaOracle;
  before(() => {
    oracle = startOpaOracle(opaOracleBinary());
  });
  after(() => oracle.close());

  for (const [family, expressions] of Object.entries(EXPRESSIONS)) {
    test(`builtins of the host say what OPA says: ${family}`, async () => {
      for (const expression of expressions) {
        const module = `package t\nx := y if y := ${expression}`;
        const { ours, want } = await compare({ note: expression, query: 'data.t.x = x', modules: [module] });
        assert.equal(ours, want, expression);
      }
    });
  }

  test('builtins of the host say what OPA says: keys, tokens and certificates', async () => {
    for (const expression of Object.values(await createCryptoExpressions()).flat()) {
      const module = `package t\nx := y if y := ${expression}`;
      const { ours, want } = await compare({ note: expression, query: 'data.t.x = x', modules: [module] });
      assert.equal(ours, want, expression);
    }
  });

  test('the committed module of the example is what OPA makes of its source', async () => {
    const work = await createWorkDirectory('opa');
    const target = join(work, 'rebuilt.wasm');
    await promisify(execFile)(join(FOLDER, 'build.sh'), [target], {
      env: { ...process.env, OPA: opaBinary() },
    });
    assert.ok((await readFile(target)).equals(await readFile(join(FOLDER, 'memory-limits-rego.wasm'))));
    await rm(target);
  });

  test('the example denies what OPA denies, asked either way', async () => {
    const bytes = await readFile(join(FOLDER, 'memory-limits-rego.wasm'));
    const source = await readFile(join(FOLDER, 'policy.rego'), 'utf8');
    const module = await opaEngine.compile(bytes);
    assert.ok(!isFault(module));
    const limits = { timeoutMs: 5000, memoryBytes: 16 * 1024 * 1024, fuel: 50_000_000 };
    const settings = { max: '512Mi' };
    const asGatekeeper = gatekeeperEngine.open(module, makePolicy('g', { settings, limits }), host);
    const entrypoint = 'memory_limits/main';
    const asOpa = opaEngine.open(module, makePolicy('o', { settings, limits, entrypoint }), host);
    for (const memory of ['512Mi', '1Gi', '0.5Gi', '600M', '500000k', 'much', '', '1e9', 12, null]) {
      for (const name of ['web', 'añb "c"']) {
        const review = makeReview({ spec: { containers: [{ name, resources: { limits: { memory } } }] } });
        const { bindings, error } = await oracle.ask({
          modules: [source],
          regoVersion: 1,
          query: 'data.memory_limits.violation = x',
          hasInput: true,
          input: { review: review.request.value(), parameters: settings },
          data: {},
        });
        assert.equal(error, undefined);
        const wanted = ((bindings?.[0]?.['x'] ?? []) as readonly { readonly msg: string }[])
          .map(({ msg }) => msg)
          .sort();
        for (const evaluator of [asGatekeeper, asOpa]) {
          const { verdict } = await evaluator.evaluate(review, clock.now() + 5000);
          const expected = wanted.length === 0 ? 'allow' : `deny: ${wanted.join(', ')}`;
          assert.equal(verdict.outcome === 'deny' ? `deny: ${verdict.message}` : verdict.outcome, expected);
        }
      }
    }
    asGatekeeper.close();
    asOpa.close();
  });

  test(
    "OPA's own conformance cases, evaluated by its modules in our sandbox",
    { skip: CONFORMANCE === undefined && 'PORTCULLIS_OPA_CONFORMANCE names no folder with the cases' },
    async (t) => {
      const counts = { same: 0, lacking: 0 };
      const different: string[] = [];
      for (const [note, reason] of Object.entries(NOT_RUN))
        t.diagnostic(`not run: ${note}, because ${reason}`);
      for (const item of readConformanceCases(CONFORMANCE ?? '')) {
        if (Object.hasOwn(NOT_RUN, item.note)) continue;
        const { ours, want } = await compare(item);
        if (ours === undefined) counts.lacking++;
        else if (ours === want) counts.same++;
        else different.push(`${item.note}\n  ours: ${ours}\n  OPA:  ${want}`);
      }
      t.diagnostic(`${counts.same} the same, ${counts.lacking} need a builtin that is not offered`);
      assert.deepEqual(different, []);
    },
  );

  /** What we and OPA make of a query; `ours` is undefined when the module is refused for a builtin. */
  async function compare(item: ConformanceCase): Promise<{ ours: string | undefined; want: string }> {
    const { wasm, bindings, error, input } = await oracle.ask({
      modules: item.modules ?? [],
      regoVersion: 1,
      query: item.query,
      hasInput: item.input !== undefined,
      data: item.data ?? {},
      ...(item.input === undefined ? {} : { input: item.input }),
      ...(item.input_term === undefined ? {} : { inputTerm: item.input_term }),
    });
    assert.ok(wasm !== undefined, `${item.note}: ${error}`);
    const question = { data: item.data, input: input ?? '' };
    const result = await evaluateQuery(Buffer.from(wasm, 'base64'), question, host);
    if (isFault(result) && result.data['lacking'] !== undefined) return { ours: undefined, want: '' };
    // Whether a query that fails is undefined or an error depends on where it does.
    if (bindings === null)
      return { ours: isFault(result) || result === '[]' ? 'error' : result, want: 'error' };
    return {
      ours: isFault(result) ? result.message : resultText(JSON.parse(result)),
      want: resultText(bindings),
    };
  }
});

function skipReason(): string | false {
  const missing = missingComponent(['opa-1']);
  return missing !== undefined && !endToEndRequired() && missing;
}

/** Results are a set, and sets inside of them come in the order of their hashes, so all arrays are sorted. */
function resultText(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = new Map(value.map((item) => [resultText(item), inOrder(item)]));
    const texts = value.map(resultText).sort();
    return texts.map((text) => items.get(text));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, inOrder(item)]);
  return Object.fromEntries(entries.sort(([first], [second]) => (first < second ? -1 : 1)));
}
