import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy, Review } from '@portcullis/contract';
import type { EngineHost, Evaluator } from '../../src/engines/engine.ts';
import { opaEngine } from '../../src/engines/opa/opa-engine.ts';
import { pluginEngine } from '../../src/engines/plugin/plugin-engine.ts';
import { wasiEngine } from '../../src/engines/wasi/wasi-engine.ts';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { makePolicy } from '../support/make-policy.ts';
import { makeReview } from '../support/make-review.ts';
import { clock, createTestHost } from '../support/test-host.ts';
import { createMemoryLog } from '../telemetry/memory-log.ts';
import { wat } from '../wasm-instrument/support/wat.ts';
import { opaGuest } from './opa/opa-guest.ts';
import { admission, guest, say } from './wasi/support/guest.ts';

const TEXTS = ['seen', admission({ allowed: true })];

const plugin = (body: string): Uint8Array =>
  wat(`(module
    (import "env" "log_message" (func $log (param i32 i32)))
    (import "env" "write_output" (func (param i32 i32) (result i32)))
    (import "env" "read_input" (func (param i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "seen")
    (func (export "validate") (result i32) ${body} (i32.const 0)))`);

/** What is asked one review, of each engine whose guests have a way to print. */
type Opened = (host: EngineHost) => Promise<Evaluator>;

function opening<M>(
  engine: {
    compile(bytes: Uint8Array): Promise<M | Fault>;
    open(module: M, policy: Policy, host: EngineHost): Evaluator;
  },
  bytes: Uint8Array,
): Opened {
  return async (host) => {
    const module = await engine.compile(bytes);
    if (isFault(module)) throw module;
    return engine.open(module, makePolicy('tested', { settings: null }), host);
  };
}

const GUESTS: Readonly<Record<string, Opened>> = {
  wasi: opening(wasiEngine, guest(['validate'], say(TEXTS, 0, 2) + say(TEXTS, 1), TEXTS)),
  plugin: opening(pluginEngine, plugin('(call $log (i32.const 0) (i32.const 4))')),
  opa: opening(
    opaEngine,
    opaGuest({ evaluate: '(call $println (i32.const 0)) (i32.const 0)', data: 'seen' }),
  ),
};

const SECRETS: readonly Review['resource'][] = [
  { group: '', version: 'v1', resource: 'secrets' },
  { group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' },
];

for (const [engine, open] of Object.entries(GUESTS)) {
  test(`${engine}: what a guest prints is in the debug log, but nothing of a Secret or a token`, async () => {
    const log = createMemoryLog('debug');
    const evaluator = await open(createTestHost(log));
    for (const resource of SECRETS)
      await evaluator.evaluate(makeReview({}, { resource }), clock.now() + 60_000);
    assert.deepEqual(log.lines, []);
    await evaluator.evaluate(makeReview(), clock.now() + 60_000);
    evaluator.close();
    assert.deepEqual(
      log.lines.map(({ message, fields }) => [message, fields['policy']]),
      [['seen', 'tested']],
    );
  });
}
