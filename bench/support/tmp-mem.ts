import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import type { Policy, Verdict } from '@portcullis/contract';
import { gatekeeperEngine } from '../../packages/server/src/engines/opa/opa-engine.ts';
import { parseAdmissionReview } from '../../packages/server/src/gates/kube-admission/parse-admission-review.ts';
import { parsePolicies } from '../../packages/server/src/policy/parse-policies.ts';
import { createWasmRuntime } from '../../packages/server/src/wasm/wasm-runtime.ts';
import { podReview } from '../pod-review.ts';
import { sound } from './sound.ts';

/**
 * Entry of a process of its own: evaluates a module of OPA's in one way and prints the processor time of one evaluation in
 * microseconds. Arguments: a module, and `portcullis` or `opa-wasm`. Both are given the bytes of the request and say what the
 * violations are.
 */
const [, , modulePath = '', way = ''] = process.argv;
const SETTINGS = { max: '512Mi' };
const COUNT = 20_000;
const WARM_UP = 5_000;
/** Evaluations after which the event loop gets a turn, as it does in a server. */
const TURN = 8;
const bytes = new Uint8Array(readFileSync(modulePath));
const { review } = sound(parseAdmissionReview(podReview(), Infinity));

async function portcullis(): Promise<() => Promise<string>> {
  const clock = { now: () => performance.now(), wall: () => Date.now() };
  const log = { enabled: () => false, log: () => undefined };
  const host = { runtime: createWasmRuntime({ clock }), clock, log };
  const document = {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name: 'measured' },
    spec: {
      engine: 'gatekeeper',
      module: { file: modulePath },
      settings: SETTINGS,
      limits: { timeout: '10s' },
    },
  };
  const parsed = parsePolicies(JSON.stringify(document), { source: 'file', location: 'bench' });
  const policy: Policy = sound(parsed[0]?.result);
  const module = sound(await gatekeeperEngine.compile(bytes));
  const refused = await gatekeeperEngine.admit(module, policy, host);
  if (refused !== undefined) throw refused;
  const evaluator = gatekeeperEngine.open(module, policy, host);
  const first = await evaluator.evaluate(review, clock.now() + 10_000); console.error(first.fuel, first.memoryBytes / 65536);
  return async () => said((await evaluator.evaluate(review, clock.now() + 10_000)).verdict);
}

function said(verdict: Verdict): string {
  if (verdict.outcome === 'fault') throw new Error(verdict.message);
  return verdict.outcome === 'deny' ? verdict.message : '';
}

/** Its own builtins lack this one; the names of Kubernetes' units are all that the policy meets. */
const UNITS: Readonly<Record<string, number>> = {
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
};
const BUILTINS = {
  'units.parse_bytes': (amount: string): number =>
    Number.parseFloat(amount) * (UNITS[amount.replace(/^[\d.]+/, '').toLowerCase()] ?? 1),
};

interface Result {
  readonly result: readonly { readonly msg: string }[];
}

async function opaWasm(): Promise<() => Promise<string>> {
  const policy = await loadPolicy(bytes, {}, BUILTINS);
  policy.setData({});
  const head = Buffer.from(`{"parameters":${JSON.stringify(SETTINGS)},"review":`);
  return () => {
    const input = Buffer.concat([head, review.request.bytes, Buffer.from('}')]);
    const [first] = policy.evaluate(new Uint8Array(input).buffer, 0) as unknown as readonly Result[];
    const messages = first?.result.map(({ msg }) => msg) ?? [];
    return Promise.resolve(messages.sort().join(', '));
  };
}

const evaluate = await (way === 'portcullis' ? portcullis() : opaWasm());
const answer = await evaluate();
async function run(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    if ((await evaluate()) !== answer) throw new Error('another answer than before');
    if (index % TURN === 0) await turn();
  }
}
await run(WARM_UP);
const before = process.cpuUsage();
await run(COUNT);
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify({ cost: (user + system) / COUNT, answer }));
