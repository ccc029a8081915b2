import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import type { JsonObject, Verdict } from '@portcullis/contract';
import { createChain } from '../../src/chain/chain.ts';
import { wasiEngine } from '../../src/engines/wasi/wasi-engine.ts';
import { createAuthenticationGate } from '../../src/gates/kube-authn/authentication-gate.ts';
import type { Gate } from '../../src/gates/gate.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { createGateTelemetry } from '../../src/telemetry/gate-telemetry.ts';
import { METRICS } from '../../src/telemetry/metrics/metric-definitions.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { createDecisionTracer } from '../../src/telemetry/traces/decision-tracer.ts';
import { assembleWat } from '../support/assemble-wat.ts';
import { makePolicy } from '../support/make-policy.ts';
import { createScriptedEngine, type Script } from '../support/scripted-engine.ts';
import { clock, createTestHost } from '../support/test-host.ts';
import { createMemoryLog } from '../telemetry/memory-log.ts';
import { abstain, fault, knows, NO_REMARKS, tokenReview } from './token-review.ts';

const PART = 'c4n4ry-of-the-signature';
const TOKEN = `eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ.${PART}`;
/** With characters that are written otherwise in JSON and URLs. */
const ODD_TOKEN = 'canary "☂"\\and/more+canary';

interface Sinks {
  readonly gate: Gate;
  /** Everything that leaves the server but the answer. */
  told(): Promise<string>;
}

/** A gate and all of telemetry behind it, everything at its most talkative. */
function open(script: Script | Uint8Array): Promise<Sinks> {
  const log = createMemoryLog('debug');
  const exporter = new InMemorySpanExporter();
  const tracer = createDecisionTracer({
    endpoint: 'http://127.0.0.1:9',
    headers: {},
    sampleRatio: 1,
    version: '1',
    log,
    exporter,
  });
  // Closing the tracer empties the exporter.
  const spans: unknown[] = [];
  const exportSpans = exporter.export.bind(exporter);
  exporter.export = (batch, done) => {
    spans.push(
      ...batch.map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
    );
    exportSpans(batch, done);
  };
  const telemetry = createTelemetry({ clock, log, version: '1', capacity: 100, tracer });
  const thread = createGateTelemetry();
  const refused: unknown[] = [];
  const engine = typeof script === 'function' ? createScriptedEngine({ p: script }) : wasiEngine;
  const chain = createChain({
    engines: new Map([[engine.name, engine]]),
    host: createTestHost(log),
    namespaceLabels: () => undefined,
    observer: thread,
  });
  const gate = createAuthenticationGate({
    decide: chain.decideAccess,
    log,
    createUid: () => 'u-1',
    refused: (code) => {
      refused.push(code);
      thread.refused('authentication', code);
    },
  });
  const install = (module: object): void =>
    chain.install({
      revision: 1,
      policies: [
        {
          policy: makePolicy('p', { gate: 'authentication', settings: null }),
          programs: [{ engine: engine.name, module: 'm' }],
          fingerprint: 'p',
        },
      ],
      exceptions: [],
      modules: new Map([['m', module]]),
    });
  const sinks: Sinks = {
    gate,
    async told() {
      const batch = thread.drain();
      if (batch !== undefined) telemetry.absorb(batch);
      const { text } = await telemetry.metrics({
        policies: [],
        built: 1,
        threads: { wanted: 1, alive: 1, replaced: 0, revision: 1 },
        reloadFailures: 0,
        lastReload: 0,
        exceptions: [],
        certificates: [],
      });
      const records = telemetry.decisions({ limit: 100 });
      const faults = telemetry.lastFaults('p');
      await telemetry.close();
      assert.ok(METRICS.length > 0 && text !== '');
      return JSON.stringify([log.lines, records, faults, text, spans, refused]);
    },
  };
  return script instanceof Uint8Array
    ? load(script, install, sinks)
    : (install({ name: 'p' }), Promise.resolve(sinks));
}

async function load(bytes: Uint8Array, install: (module: object) => void, sinks: Sinks): Promise<Sinks> {
  const module = await wasiEngine.compile(bytes);
  assert.ok(!isFault(module), isFault(module) ? module.message : '');
  install(module);
  return sinks;
}

async function send(gate: Gate, body: string): Promise<string> {
  const response = await gate({
    method: 'POST',
    path: '/authentication',
    query: '',
    contentType: 'application/json',
    body: Buffer.from(body),
    received: clock.now(),
  });
  return response.body;
}

/** Every way in which the token, or a part of it that gives it away, is written. */
function formsOf(token: string): readonly string[] {
  const bytes = Buffer.from(token);
  return [
    token,
    JSON.stringify(token).slice(1, -1),
    encodeURIComponent(token),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    ...(token === TOKEN ? [PART] : []),
  ];
}

function assertSilent(text: string, token: string, name: string): void {
  for (const form of formsOf(token)) {
    // Texts are searched as they are and as JSON writes them.
    assert.ok(!text.includes(form), `${name}: ${form}`);
    assert.ok(!text.includes(JSON.stringify(form).slice(1, -1)), `${name}: ${form}`);
  }
}

const tokenIn: (review: Parameters<Script>[0]) => string = ({ request }) =>
  ((request.value() as JsonObject)['spec'] as { readonly token: string }).token;

const deny = (message: string): Verdict => ({
  outcome: 'deny',
  message,
  causes: [{ message }],
  ...NO_REMARKS,
});
const LEAKS: Readonly<Record<string, (token: string) => Verdict>> = {
  fault: (token) => ({ ...fault, message: formsOf(token).join(' | ') }),
  denial: (token) => deny(formsOf(token).join(' | ')),
  'no opinion': (token) => ({ ...abstain, message: token, error: formsOf(token).join(' | ') }),
  warnings: (token) => ({ outcome: 'abstain', warnings: [token], auditAnnotations: { [token]: token } }),
  exception: (token) => {
    throw new Error(`cannot parse ${token.slice(4)}`);
  },
  'a user without a name': (token) => knows('', [token], { uid: token, extra: { [token]: [token] } }),
};

test('whatever a policy says of it, a token is in no answer, log, record, metric or span', async () => {
  for (const token of [TOKEN, ODD_TOKEN]) {
    for (const [name, leak] of Object.entries(LEAKS)) {
      const { gate, told } = await open((review) => leak(tokenIn(review)));
      const answer = await send(gate, JSON.stringify(tokenReview(token)));
      assert.equal(
        (JSON.parse(answer) as { status: { authenticated: boolean } }).status.authenticated,
        false,
      );
      assertSilent(answer, token, `${name}: answer`);
      const output = await told();
      assert.ok(output.includes('u-1') && output.includes('policy p'), `${name}: nothing was told at all`);
      assertSilent(output, token, name);
      assert.ok(!output.includes(token.slice(4)), name);
    }
  }
});

test('a user who is named by the token is named nowhere else than in the answer', async () => {
  const { gate, told } = await open((review) =>
    knows(`token:${tokenIn(review)}`, undefined, { groups: [tokenIn(review)] }),
  );
  assert.ok((await send(gate, JSON.stringify(tokenReview(TOKEN)))).includes(TOKEN));
  assertSilent(await told(), TOKEN, 'user');
});

test('a request that is refused tells nothing of what it holds', async () => {
  const review = JSON.stringify(tokenReview(TOKEN));
  const quoted = JSON.stringify(TOKEN);
  for (const body of [
    review.slice(0, -1),
    review.replace('TokenReview', TOKEN),
    review.replace('authentication.k8s.io', TOKEN),
    review.replace(`"token":${quoted}`, `"token":[${quoted}]`),
    review.replace(`"token":${quoted}`, `${quoted}:1,${quoted}:2`),
    review.replace('"spec"', quoted),
    TOKEN,
  ]) {
    const { gate, told } = await open(() => knows('ana'));
    const answer = await send(gate, body);
    assert.match(answer, /"authenticated":false,"error":"PC_REVIEW_/);
    assertSilent(answer, TOKEN, body);
    assertSilent(await told(), TOKEN, body);
  }
});

/** Writes its whole input to the file descriptor, between two texts, and ends with `end`. */
function echoGuest(descriptor: 1 | 2, before: string, after: string, end: string): Promise<Uint8Array> {
  const escaped = (text: string): string => text.replaceAll('"', '\\22');
  return assembleWat(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 4)
    (data (i32.const 64) "${escaped(before)}") (data (i32.const 128) "${escaped(after)}")
    (func $say (param $at i32) (param $size i32)
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $size))
      (drop (call $write (i32.const ${descriptor}) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "authn")
      (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 65536))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 12)))
      (call $say (i32.const 64) (i32.const ${before.length}))
      (call $say (i32.const 4096) (i32.load (i32.const 12)))
      (call $say (i32.const 128) (i32.const ${after.length}))
      ${end}))`);
}

test('a real guest that writes its input to wherever it can gives nothing away', async () => {
  const guests: Readonly<Record<string, Promise<Uint8Array>>> = {
    'standard error and a trap': echoGuest(2, 'token is ', '', 'unreachable'),
    'standard error and an end': echoGuest(2, 'token is ', '', ''),
    'standard output': echoGuest(1, '', '', ''),
    'an answer': echoGuest(1, '{"response":', '}', ''),
    'an error': echoGuest(1, '{"error":"x","more":', '}', ''),
  };
  for (const [name, guest] of Object.entries(guests)) {
    const { gate, told } = await open(await guest);
    const answer = await send(gate, JSON.stringify(tokenReview(TOKEN)));
    assert.match(answer, /"authenticated":false,"error":"/, name);
    assertSilent(answer, TOKEN, name);
    assertSilent(await told(), TOKEN, name);
  }
});
