import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Review } from '@portcullis/contract';
import { pluginEngine } from '../../packages/server/src/engines/plugin/plugin-engine.ts';
import { PLUGIN_HOST, type PluginCall } from '../../packages/server/src/engines/plugin/plugin-host.ts';
import {
  inputTail,
  pluginInput,
  type PluginInput,
} from '../../packages/server/src/engines/plugin/plugin-input.ts';
import { parseAdmissionReview } from '../../packages/server/src/gates/kube-admission/parse-admission-review.ts';
import { parsePolicies } from '../../packages/server/src/policy/parse-policies.ts';
import { Guest } from '../../packages/server/src/wasm/guest.ts';
import { RESERVED } from '../../packages/server/src/wasm/instrumented.ts';
import { createWasiContext } from '../../packages/server/src/wasm/wasi/wasi-context.ts';
import { createWasmRuntime } from '../../packages/server/src/wasm/wasm-runtime.ts';
import { podReview } from '../pod-review.ts';
import { sound } from './sound.ts';
import { quantile } from './statistics.ts';

/**
 * Entry of a process of its own: evaluates one policy in one way and prints an {@link EvaluationSample} as JSON.
 * Arguments: a policy file, and how. Needs `--expose-gc`.
 */
export interface EvaluationSample {
  /** Microseconds of one evaluation, in `reset` with the reset after it. */
  readonly p50: number;
  readonly p99: number;
  /** Bytes in memory after all evaluations, over those after the warm-up. */
  readonly growth: number;
}

/** `pool` is the evaluator that serves; the others are a single guest, so that nothing but the one step differs. */
const MODES: Readonly<Record<string, Mode>> = {
  reused: { warmUp: 5000, count: 20_000 },
  reset: { warmUp: 5000, count: 20_000 },
  fresh: { warmUp: 5000, count: 20_000 },
  pool: { warmUp: 60_000, count: 100_000 },
};

interface Mode {
  /** Evaluations until everything is compiled and the heap has found its size. */
  readonly warmUp: number;
  readonly count: number;
}
/** Evaluations after which the event loop gets a turn, as it does in a server. */
const TURN = 8;
/** Runs of a guest that is never reset: some policies never free memory, and leave that to the host. */
const RENEWAL = 200;
const SET_UP = [RESERVED.start, '_initialize'];

const [, , policyPath = '', mode = ''] = process.argv;
const clock = { now: () => performance.now(), wall: () => Date.now() };
const host = {
  runtime: createWasmRuntime({ clock }),
  clock,
  log: { enabled: () => false, log: () => undefined },
};
const policy = sound(
  parsePolicies(readFileSync(policyPath, 'utf8'), { source: 'file', location: policyPath })[0]?.result,
);
const compiled = sound(
  await pluginEngine.compile(
    new Uint8Array(readFileSync(resolve(dirname(policyPath), policy.spec.module.file ?? ''))),
  ),
);
const { review } = sound(parseAdmissionReview(podReview(), Infinity));
const tail = inputTail(policy.spec.settings);
/** Without this limit a guest that is never reset would run out of memory, not of interest here. */
const limits = { ...policy.spec.limits, memoryBytes: 1024 ** 3 };

function createGuest(): Guest<PluginCall> {
  return new Guest({ compiled, host: PLUGIN_HOST, limits, runtime: host.runtime, onEnd: () => undefined });
}

async function createReadyGuest(): Promise<Guest<PluginCall>> {
  const guest = createGuest();
  for (const name of SET_UP) if (guest.has(name)) await call(guest, name, { pieces: [], length: 0 });
  return guest;
}

async function call(
  guest: Guest<PluginCall>,
  entry: string,
  input: PluginInput,
): Promise<PluginCall['output']> {
  const context: PluginCall = {
    ...createWasiContext({ clock, log: host.log, policy: policy.metadata.name }),
    input: input.pieces,
    inputLength: input.length,
    output: undefined,
    isOutputRefused: false,
    logged: 0,
    log: host.log,
    plugin: policy.metadata.name,
  };
  sound(await guest.run(entry, { context, deadline: clock.now() + 10_000 }, []));
  return context.output;
}

async function ask(guest: Guest<PluginCall>, question: Review): Promise<void> {
  const output = await call(guest, 'validate', pluginInput(question, tail));
  if (output === undefined) throw new Error('the policy answered nothing');
}

async function evaluationOf(way: string): Promise<(question: Review) => Promise<void>> {
  if (way === 'fresh') return async (question) => ask(await createReadyGuest(), question);
  if (way === 'pool') {
    const evaluator = pluginEngine.open(compiled, policy, host);
    return async (question) => {
      const { verdict } = await evaluator.evaluate(question, clock.now() + 10_000);
      if (verdict.outcome === 'fault') throw new Error(verdict.message);
    };
  }
  let guest = await createReadyGuest();
  if (way === 'reused') {
    let runs = 0;
    return async (question) => {
      if (++runs % RENEWAL === 0) guest = await createReadyGuest();
      await ask(guest, question);
    };
  }
  guest.takeSnapshot();
  return async (question) => {
    await ask(guest, question);
    guest.reset();
  };
}

async function measure(way: string, { warmUp, count }: Mode): Promise<EvaluationSample> {
  const evaluate = await evaluationOf(way);
  const micros = new Float64Array(count).fill(0);
  let before = 0;
  for (let index = -warmUp; index < count; index++) {
    if (index === 0) before = settledMemory();
    // A copy, because what is the same for all policies is remembered by review.
    const question = { ...review };
    const started = performance.now();
    await evaluate(question);
    if (index >= 0) micros[index] = (performance.now() - started) * 1000;
    if (index % TURN === 0) await turn();
  }
  const growth = settledMemory() - before;
  micros.sort();
  return { p50: quantile(micros, 0.5), p99: quantile(micros, 0.99), growth };
}

function settledMemory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

const chosen = MODES[mode];
if (chosen === undefined) throw new TypeError(`\`${mode}\` is none of ${Object.keys(MODES).join(', ')}`);
process.stdout.write(`${JSON.stringify(await measure(mode, chosen))}\n`);
