import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { JsonObject, Policy, Review } from '@portcullis/contract';
import {
  createKubewardenCall,
  type KubewardenCall,
} from '../../packages/server/src/engines/kubewarden/kubewarden-call.ts';
import { kubewardenEngine } from '../../packages/server/src/engines/kubewarden/kubewarden-engine.ts';
import {
  GUEST_CALL,
  START_EXPORTS,
} from '../../packages/server/src/engines/kubewarden/kubewarden-exports.ts';
import { KUBEWARDEN_HOST } from '../../packages/server/src/engines/kubewarden/kubewarden-host.ts';
import { inputTail, kubewardenInput } from '../../packages/server/src/engines/kubewarden/kubewarden-input.ts';
import { parseAdmissionReview } from '../../packages/server/src/gates/kube-admission/parse-admission-review.ts';
import { parsePolicies } from '../../packages/server/src/policy/parse-policies.ts';
import { Guest } from '../../packages/server/src/wasm/guest.ts';
import { RESERVED } from '../../packages/server/src/wasm/instrumented.ts';
import { createWasmRuntime } from '../../packages/server/src/wasm/wasm-runtime.ts';
import { podReview } from '../pod-review.ts';
import { sound } from './sound.ts';
import { quantile } from './statistics.ts';

/**
 * Entry of a process of its own: evaluates a waPC policy in one way and prints `{p50, cost}` as JSON, both in microseconds; the
 * cost is processor time, all threads, resets included. Arguments: a module, settings as JSON, and `fresh` or `reset`.
 */
const [, , modulePath = '', settings = '{}', way = ''] = process.argv;
const clock = { now: () => performance.now(), wall: () => Date.now() };
const log = { enabled: () => false, log: () => undefined };
const host = { runtime: createWasmRuntime({ clock }), clock, log };
const LIMITS = { timeout: '10s', memory: '64Mi', fuel: 1e9 };
const COUNT: Readonly<Record<string, number>> = { fresh: 1500, reset: 20_000 };
const WARM_UP_SHARE = 0.25;
/** A new instance that prepares much takes long; so many seconds are enough of them. */
const MAX_MS = 15_000;
/** Evaluations after which the event loop gets a turn, as it does in a server. */
const TURN = 8;

const document = {
  apiVersion: 'portcullis.dev/v1',
  kind: 'Policy',
  metadata: { name: 'measured' },
  spec: {
    engine: 'kubewarden',
    module: { file: modulePath },
    settings: JSON.parse(settings) as JsonObject,
    limits: LIMITS,
  },
};
const policy: Policy = sound(
  parsePolicies(JSON.stringify(document), { source: 'file', location: 'bench' })[0]?.result,
);
const module = sound(await kubewardenEngine.compile(new Uint8Array(readFileSync(modulePath))));
const refused = await kubewardenEngine.admit(module, policy, host);
if (refused !== undefined) throw refused;
const { review } = sound(parseAdmissionReview(podReview(), Infinity));

/** A new instance for each question, as hosts without resets make them. */
async function askFresh(question: Review): Promise<void> {
  const tail = inputTail(policy.spec.settings);
  const payload = sound(kubewardenInput(question, tail, 'kubernetes'));
  const guest = new Guest<KubewardenCall>({
    compiled: module,
    host: KUBEWARDEN_HOST,
    limits: policy.spec.limits,
    runtime: host.runtime,
    onEnd: () => undefined,
  });
  for (const name of [RESERVED.start, ...START_EXPORTS])
    if (guest.has(name))
      sound(await guest.run(name, task(createKubewardenCall(host, { policy: 'bench' })), []));
  const call = createKubewardenCall(host, { policy: 'bench', operation: 'validate', payload });
  sound(await guest.run(GUEST_CALL, task(call), ['validate'.length, call.payloadLength]));
  if (call.response === undefined) throw new Error('the policy answered nothing');
}

function task(context: KubewardenCall): { context: KubewardenCall; deadline: number } {
  return { context, deadline: clock.now() + MAX_MS };
}

async function askReset(): Promise<(question: Review) => Promise<void>> {
  const evaluator = kubewardenEngine.open(module, policy, host);
  await evaluator.evaluate(review, clock.now() + MAX_MS);
  return async (question) => {
    const { verdict } = await evaluator.evaluate(question, clock.now() + MAX_MS);
    if (verdict.outcome !== 'allow') throw new Error(JSON.stringify(verdict));
  };
}

const count = COUNT[way];
if (count === undefined) throw new TypeError(`\`${way}\` is none of ${Object.keys(COUNT).join(', ')}`);
const ask = way === 'fresh' ? askFresh : await askReset();
const micros: number[] = [];
let usage = process.cpuUsage();
const begin = performance.now();
for (let index = -count * WARM_UP_SHARE; index < count; index++) {
  const elapsed = performance.now() - begin;
  if (elapsed > MAX_MS && micros.length > 0) break;
  // A copy, because what is the same for all policies is remembered by review.
  const question = { ...review };
  const started = performance.now();
  await ask(question);
  if (index >= 0 || elapsed > MAX_MS / 2) micros.push((performance.now() - started) * 1000);
  else usage = process.cpuUsage();
  if (index % TURN === 0) await turn();
}
const { user, system } = process.cpuUsage(usage);
const cost = (user + system) / micros.length;
micros.sort((one, other) => one - other);
process.stdout.write(`${JSON.stringify({ p50: quantile(micros, 0.5), cost })}\n`);
