import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { instrumentModule } from '../../src/wasm/instrument/instrument-module.ts';
import type { InstrumentedModule } from '../../src/wasm/instrumented.ts';
import { generateModule, type GeneratedModule } from './support/generate-module.ts';
import { runMetered, runPlain, type Call, type MeteredObservation } from './support/guest-run.ts';
import { Random } from './support/random.ts';
import { wat } from './support/wat.ts';

const MODULES = 250;

for (const exceptions of [false, true]) {
  const kind = exceptions ? 'modules that throw' : 'modules';

  test(`${MODULES} generated ${kind} do the same metered as plain`, () => {
    for (let seed = 1; seed <= MODULES; seed++) {
      const { plain, metered, calls } = build(seed, exceptions);
      const { results, memory, globals, tables, fuel, exhausted } = runMetered(metered, calls);
      assert.deepEqual({ results, memory, globals, tables }, runPlain(plain, calls), `seed ${seed}`);
      assert.equal(exhausted, false);
      assert.ok(fuel > 0, `seed ${seed} used no fuel`);
    }
  });

  test(`${kind} in slices of every size use the same fuel and do the same`, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const { metered, calls } = build(seed, exceptions);
      const whole = runMetered(metered, calls);
      for (const slice of steps(whole.fuel)) {
        const sliced = runMetered(metered, calls, { slice, budget: Number.MAX_SAFE_INTEGER });
        assert.deepEqual(unsliced(sliced), unsliced(whole), `seed ${seed}, slices of ${slice}`);
      }
    }
  });

  test(`${kind} with any budget below their need are stopped, and with their need are not`, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const { metered, calls } = build(seed, exceptions);
      const whole = runMetered(metered, calls);
      const start = runMetered(metered, []).fuel;
      for (const budget of steps(whole.fuel - 1)) {
        if (budget < start) continue;
        const stopped = runMetered(metered, calls, { slice: 1 + (budget % 50), budget });
        const last = stopped.results.length - 1;
        const where = `seed ${seed} with ${budget} of ${whole.fuel}`;
        // The last call may end in a trap of its own while it owes what is not checked; it never ends with a result.
        assert.match(stopped.results[last] ?? '', /^RuntimeError: /, where);
        if (stopped.exhausted) assert.equal(stopped.results[last], 'RuntimeError: unreachable', where);
        else assert.equal(stopped.fuel, whole.fuel, where);
        assert.deepEqual(stopped.results.slice(0, last), whole.results.slice(0, last), where);
      }
      const enough = runMetered(metered, calls, { slice: 7, budget: whole.fuel });
      assert.deepEqual(unsliced(enough), unsliced(whole), `seed ${seed}`);
    }
  });
}

interface Built {
  readonly plain: WebAssembly.Module;
  readonly metered: WebAssembly.Module;
  readonly calls: readonly Call[];
}

function build(seed: number, exceptions: boolean): Built {
  const generated = generateModule(seed, exceptions);
  const bytes = wat(generated.text);
  return {
    plain: new WebAssembly.Module(bytes),
    metered: new WebAssembly.Module(instrumented(bytes).bytes),
    calls: callsOf(generated, seed),
  };
}

function instrumented(bytes: Uint8Array): InstrumentedModule {
  const result = instrumentModule(bytes);
  if (isFault(result)) throw result;
  return result;
}

function callsOf({ functions }: GeneratedModule, seed: number): Call[] {
  const random = new Random(seed ^ 0x5eed);
  return functions.map(({ name, params }) => ({
    name,
    args: params.map((type) => (type === 'i64' ? BigInt(random.below(20)) : random.below(20) - 4)),
  }));
}

/** Every value up to 150, then ever fewer. */
function steps(limit: number): number[] {
  const values: number[] = [];
  for (let value = 1; value <= limit; value += value < 150 ? 1 : Math.ceil(value / 20)) values.push(value);
  return values;
}

/** All but how often it asked for fuel. */
function unsliced(observation: MeteredObservation): MeteredObservation {
  return { ...observation, refills: 0 };
}
