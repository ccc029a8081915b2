import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { PLUGIN_HOST, type PluginCall } from '../../src/engines/plugin/plugin-host.ts';
import type { CompiledModule } from '../../src/wasm/compiled-module.ts';
import { Guest, type Run } from '../../src/wasm/guest.ts';
import { hostFunction, type HostInterface } from '../../src/wasm/host-interface.ts';
import { createSandbox, type Sandbox } from '../../src/wasm/sandbox.ts';
import { createWasiContext } from '../../src/wasm/wasi/wasi-context.ts';
import { generateModule } from '../wasm-instrument/support/generate-module.ts';
import { Random } from '../wasm-instrument/support/random.ts';
import { wat } from '../wasm-instrument/support/wat.ts';
import { LIMITS, clock, compiled, createRuntime, sandboxOf, soon, sound } from './support/fixtures.ts';

/** An instance that is reset does what a fresh one does. */

const HOST: HostInterface<undefined> = {
  env: {
    twice: hostFunction(['i32'], ['i32'], (_call, value) => value * 2),
    nothing: hostFunction([], [], () => {}),
  },
};
const runtime = createRuntime();

interface Seen {
  readonly outcome: string;
  readonly fuel: unknown;
  readonly memory: Buffer;
}

/** One run of an instance, and the memory that it left, all of it. */
async function look(guest: Guest<undefined>, call: Call): Promise<Seen> {
  const run = await guest.run(call.name, { context: undefined, deadline: soon() }, call.args as number[]);
  return {
    outcome: isFault(run) ? `${run.code} ${run.message}` : String(run.result),
    fuel: isFault(run) ? run.data['fuel'] : run.fuel,
    memory: Buffer.from(guest.memory.physical),
  };
}

interface Call {
  readonly name: string;
  readonly args: readonly (number | bigint)[];
}

function freshGuest(module: CompiledModule, limits = LIMITS): Guest<undefined> {
  const guest = new Guest<undefined>({ compiled: module, host: HOST, limits, runtime, onEnd: () => {} });
  guest.takeSnapshot();
  return guest;
}

/**
 * The one difference there may be: memory that an earlier run had grown is there, zeroed, so a guest that goes beyond the end
 * of its own does not trap at once. It learns nothing but that.
 */
function isBeyondItsEnd(reset: Seen, fresh: Seen): boolean {
  return fresh.outcome.endsWith('memory access out of bounds') && reset.memory.length > fresh.memory.length;
}

/** The memory of a reset instance may be longer; what is beyond the fresh one's is zero. */
function assertAlike(reset: Seen, fresh: Seen, where: string): void {
  assert.deepEqual([reset.outcome, reset.fuel], [fresh.outcome, fresh.fuel], where);
  const size = fresh.memory.length;
  assert.ok(reset.memory.subarray(0, size).equals(fresh.memory), `${where}: memory`);
  assert.ok(
    reset.memory.subarray(size).every((byte) => byte === 0),
    `${where}: memory beyond`,
  );
}

const MODULES = 120;
const CALLS = 8;

for (const exceptions of [false, true]) {
  const kind = exceptions ? 'generated modules that throw' : 'generated modules';

  test(`${MODULES} ${kind}: each call after a reset is as in a fresh instance`, async () => {
    let resettable = 0;
    let beyond = 0;
    for (let seed = 1; seed <= MODULES; seed++) {
      const generated = generateModule(seed, exceptions);
      const module = await compiled(wat(generated.text), HOST);
      if (!module.layout.resettable) continue;
      resettable++;
      const random = new Random(seed);
      // Sometimes so little fuel that calls end in the middle of what they do.
      const limits = random.chance(30) ? { ...LIMITS, fuel: 1 + random.below(800) } : LIMITS;
      const used = freshGuest(module, limits);
      for (let turn = 0; turn < CALLS; turn++) {
        const { name, params } = random.pick(generated.functions as [(typeof generated.functions)[number]]);
        const args = params.map((type) => (type === 'i64' ? BigInt(random.below(99)) : random.below(99)));
        const call = { name, args };
        const reset = await look(used, call);
        const fresh = await look(freshGuest(module, limits), call);
        if (isBeyondItsEnd(reset, fresh)) beyond++;
        else assertAlike(reset, fresh, `seed ${seed}, call ${turn} of ${name}`);
        used.reset();
      }
    }
    assert.ok(resettable > MODULES / 4, `${resettable} could be reset`);
    assert.ok(beyond < resettable / 10, `${beyond} calls went beyond their memory`);
  });
}

const image = new URL('../../../../policies/image-registry/image-registry.wasm', import.meta.url);
const labels = new URL('../../../../policies/default-labels/default-labels.wasm', import.meta.url);

for (const path of [image, labels]) {
  test(`${path.pathname.split('/').at(-1)}: a thousand different inputs, reset and fresh`, async () => {
    const module = sound(await compileExample(path));
    const log = { enabled: () => false, log: () => {} };
    const call = (input: Uint8Array): PluginCall => ({
      ...createWasiContext({ clock, log, policy: 'example', random: (bytes) => void bytes.fill(7) }),
      input: [input],
      inputLength: input.length,
      output: undefined,
      isOutputRefused: false,
      logged: 0,
      log,
      plugin: 'example',
    });
    const open = (): Sandbox<PluginCall> =>
      createSandbox<PluginCall>(module, {
        host: PLUGIN_HOST,
        limits: LIMITS,
        runtime,
        initialise: { exports: ['_initialize'], context: () => call(new Uint8Array(0)) },
      });
    const answer = async (sandbox: Sandbox<PluginCall>, input: Uint8Array): Promise<unknown> => {
      const context = call(input);
      const run: Run | Fault = await sandbox.run('validate', context, soon());
      return isFault(run) ? [run.code, run.data] : [run, Buffer.from(context.output ?? []).toString()];
    };
    const reused = open();
    const random = new Random(4711);
    for (let turn = 0; turn < 1000; turn++) {
      const input = inputOf(random);
      const expected = await answer(open(), input);
      assert.deepEqual(await answer(reused, input), expected, `turn ${turn}`);
    }
    assert.equal(reused.idle, 1);
  });
}

async function compileExample(path: URL): Promise<CompiledModule | Fault> {
  return compiled(readFileSync(path), PLUGIN_HOST);
}

/** Inputs of many sizes, some of them broken. */
function inputOf(random: Random): Uint8Array {
  const containers = Array.from({ length: random.below(30) }, (_, index) => ({
    name: `c${index}`,
    image: `${random.pick(['docker.io/library', 'ghcr.io/stellar', 'quay.io/x'])}/app:${random.below(9)}`,
  }));
  const text = JSON.stringify({
    operation: random.pick(['CREATE', 'UPDATE', 'DELETE']),
    namespace: 'shop',
    name: 'web',
    userInfo: { username: 'ana', groups: [], extra: {} },
    context: {},
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: { containers, version: 'quay.io/x' },
    },
  });
  const bytes = Buffer.from(text);
  return random.chance(20) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

test('two thousand runs of a guest that grows do not grow its instance', async () => {
  const text = `(module (memory 1) (func (export "run") (result i32)
    (drop (memory.grow (i32.const 5))) (memory.fill (i32.const 0) (i32.const 1) (i32.const 390000)) (memory.size)))`;
  const sandbox = await sandboxOf(text);
  for (let turn = 0; turn < 2000; turn++) {
    const run = sound(await sandbox.run('run', undefined, soon()));
    assert.deepEqual([run.result, run.memoryBytes], [6, 6 * 65_536]);
  }
  assert.equal(sandbox.idle, 1);
});
