import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DecisionRecord, PolicyStatus } from '@portcullis/contract';
import { createGateTelemetry } from '../../src/telemetry/gate-telemetry.ts';
import { METRICS } from '../../src/telemetry/metrics/metric-definitions.ts';
import type { ServerReading } from '../../src/telemetry/metrics/server-reading.ts';
import { createTelemetry, type Telemetry, type TelemetryOptions } from '../../src/telemetry/telemetry.ts';
import { makeContribution, makeFault, makeRecord } from './make-record.ts';
import { createMemoryLog } from './memory-log.ts';

const READING: ServerReading = {
  policies: [statusOf('registries'), { ...statusOf('broken'), state: 'refused' }],
  built: 5,
  threads: { wanted: 2, alive: 1, replaced: 3, revision: 4 },
  reloadFailures: 6,
  lastReload: 1_700_000_000_500,
  exceptions: ['active', 'expired'],
  certificates: [{ name: 'serving', notAfter: 1_800_000_000_000, succeeded: 1, failed: 2 }],
};

describe('metrics', () => {
  test('tell what gate threads have counted, summed over threads and batches', async () => {
    const telemetry = create();
    feed(telemetry, [makeRecord(), makeFault()], 1);
    feed(telemetry, [makeRecord(), makeRecord({ phase: 'mutate', operation: 'UPDATE' })], 2);
    const { text, contentType } = await telemetry.metrics(READING);
    equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
    const lines = new Set(text.split('\n'));
    for (const line of [
      'portcullis_decisions_total{gate="admission",phase="validate",operation="CREATE",outcome="allow"} 2',
      'portcullis_decisions_total{gate="admission",phase="validate",operation="CREATE",outcome="deny"} 1',
      'portcullis_policy_evaluations_total{policy="registries",outcome="allow",mode="enforce"} 3',
      'portcullis_policy_evaluations_total{policy="registries",outcome="fault",mode="enforce"} 1',
      'portcullis_policy_evaluation_duration_seconds_bucket{policy="registries",le="0.0005"} 0',
      'portcullis_policy_evaluation_duration_seconds_bucket{policy="registries",le="0.001"} 4',
      'portcullis_policy_evaluation_duration_seconds_bucket{policy="registries",le="+Inf"} 4',
      'portcullis_policy_evaluation_duration_seconds_sum{policy="registries"} 0.004',
      'portcullis_policy_evaluation_duration_seconds_count{policy="registries"} 4',
      'portcullis_policy_fuel_sum{policy="registries"} 8000',
      'portcullis_policy_memory_bytes{policy="registries"} 65536',
      'portcullis_policy_faults_total{policy="registries",code="PC_WASM_FUEL"} 1',
      'portcullis_refused_requests_total{gate="admission",code="PC_REVIEW_JSON"} 2',
      'portcullis_policies{state="loaded"} 1',
      'portcullis_policies{state="refused"} 1',
      'portcullis_policies{state="disabled"} 0',
      'portcullis_policy_set_revision{kind="built"} 5',
      'portcullis_policy_set_revision{kind="in_force"} 4',
      'portcullis_reload_failures_total 6',
      'portcullis_last_reload_timestamp_seconds 1700000000.5',
      'portcullis_certificate_expiry_timestamp_seconds{name="serving"} 1800000000',
      'portcullis_gate_threads{kind="alive"} 1',
      'portcullis_gate_thread_restarts_total 3',
      'portcullis_decision_records_dropped_total 0',
      'portcullis_build_info{version="1.2.3"} 1',
      'webhook_requests_total{webhook="validate",result="allowed"} 2',
      'webhook_requests_total{webhook="validate",result="denied"} 1',
      'webhook_request_duration_seconds_count{webhook="mutate"} 1',
      'plugin_executions_total{plugin="registries",result="allowed"} 3',
      'plugin_executions_total{plugin="registries",result="error"} 1',
      'plugin_execution_duration_seconds_count{plugin="registries"} 4',
      'plugin_errors_total{plugin="registries",code="PC_WASM_FUEL"} 1',
    ]) {
      ok(lines.has(line), `${line}\n\nis not in\n\n${text}`);
    }
  });

  test('every row of the table is exposed with its type, and nothing else', async () => {
    const telemetry = create();
    const { text } = await telemetry.metrics(READING);
    const exposed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    deepEqual(
      exposed,
      METRICS.map(({ name, type }) => [name, type]),
    );
    for (const { help } of METRICS) ok(text.includes(help.replaceAll('\n', ' ')));
  });

  test('only policies of the plugin engine have the series of the reference', async () => {
    const telemetry = create();
    feed(telemetry, [makeRecord({ contributions: [makeContribution({ policy: 'rego' })] })]);
    const { text } = await telemetry.metrics({
      ...READING,
      policies: [{ ...statusOf('rego'), engine: 'rego' }],
    });
    match(text, /^portcullis_policy_evaluations_total\{policy="rego"/m);
    ok(!/^plugin_executions_total\{/m.test(text));
  });

  test('a policy that is gone leaves no series and no faults behind', async () => {
    const telemetry = create();
    feed(telemetry, [makeFault()]);
    equal(telemetry.lastFaults('registries').length, 1);
    const { text } = await telemetry.metrics({ ...READING, policies: [] });
    ok(!text.includes('"registries"'));
    equal(telemetry.lastFaults('registries').length, 0);
  });

  test('no name of an object or a user is a label', async () => {
    const telemetry = create();
    feed(telemetry, [makeFault({ name: 'NAME', namespace: 'NAMESPACE', user: 'USER', uid: 'UID' })]);
    const { text } = await telemetry.metrics(READING);
    ok(!/NAME|USER|UID/.test(text));
  });

  test('a thread that died is not in flight for ever', async () => {
    const clock = createClock();
    const telemetry = create({ clock });
    const gate = createGateTelemetry({ thread: 1, inFlight: () => 7 });
    const batch = gate.drain();
    ok(batch);
    telemetry.absorb(batch);
    match((await telemetry.metrics(READING)).text, /^portcullis_requests_in_flight 7$/m);
    clock.advance(6000);
    match((await telemetry.metrics(READING)).text, /^portcullis_requests_in_flight 0$/m);
  });

  test('process metrics come with the others when they are wanted', async () => {
    const telemetry = create({ processMetrics: true });
    match((await telemetry.metrics(READING)).text, /^process_resident_memory_bytes \d+$/m);
  });
});

describe('decisions', () => {
  const records = [
    makeRecord({ uid: 'a', time: 10, namespace: 'x' }),
    makeRecord({
      uid: 'b',
      time: 20,
      outcome: 'deny',
      contributions: [makeContribution({ policy: 'other' })],
    }),
    makeFault({ uid: 'c', time: 30 }),
    makeRecord({ uid: 'd', time: 40 }),
  ];

  test('are found by every filter, newest first', () => {
    const telemetry = create();
    feed(telemetry, records);
    const found = (filter: object): string[] =>
      telemetry.decisions({ limit: 10, ...filter }).map(({ uid }) => uid);
    deepEqual(found({}), ['d', 'c', 'b', 'a']);
    deepEqual(found({ limit: 2 }), ['d', 'c']);
    deepEqual(found({ policy: 'other' }), ['b']);
    deepEqual(found({ outcome: 'deny' }), ['c', 'b']);
    deepEqual(found({ namespace: 'x' }), ['a']);
    deepEqual(found({ uid: 'c' }), ['c']);
    deepEqual(found({ faulted: true }), ['c']);
    deepEqual(found({ faulted: false }), ['d', 'b', 'a']);
    deepEqual(found({ since: 20 }), ['d', 'c', 'b']);
    deepEqual(found({ outcome: 'deny', policy: 'registries' }), ['c']);
  });

  test('of one millisecond are newest first too', () => {
    const telemetry = create();
    feed(
      telemetry,
      ['a', 'b', 'c'].map((uid) => makeRecord({ uid, time: 7 })),
    );
    deepEqual(
      telemetry.decisions({ limit: 2 }).map(({ uid }) => uid),
      ['c', 'b'],
    );
  });

  test('a flood of allows does not wash denials away', () => {
    const telemetry = create({ capacity: 10 });
    feed(telemetry, [makeRecord({ uid: 'denied', time: 1, outcome: 'deny' })]);
    feed(
      telemetry,
      Array.from({ length: 200 }, (_, index) => makeRecord({ uid: `${index}`, time: 2 + index })),
    );
    const found = telemetry.decisions({ limit: 100 });
    equal(found.length, 6);
    equal(found.at(-1)?.uid, 'denied');
  });

  test('the last ten faults of a policy are kept, newest first', () => {
    const telemetry = create();
    feed(
      telemetry,
      Array.from({ length: 15 }, (_, index) => makeFault({ uid: `${index}`, time: index })),
    );
    const faults = telemetry.lastFaults('registries');
    deepEqual(
      faults.map(({ uid }) => uid),
      ['14', '13', '12', '11', '10', '9', '8', '7', '6', '5'],
    );
    deepEqual(faults[0], { time: 14, code: 'PC_WASM_FUEL', message: 'out of fuel', uid: '14' });
  });
});

describe('log lines of decisions', () => {
  test('faults warn, denials inform, allows are for debugging, and no text of a policy is in them', () => {
    const log = createMemoryLog();
    const telemetry = create({ log });
    feed(telemetry, [
      makeRecord({ time: 1 }),
      makeRecord({ time: 2, outcome: 'deny', message: 'secret-in-message' }),
      makeFault({ time: 3 }),
      makeRecord({ time: 4, outcome: 'unknown', contributions: [] }),
    ]);
    deepEqual(
      log.lines.map(({ level }) => level),
      ['debug', 'info', 'warn', 'warn'],
    );
    deepEqual(log.lines[2], {
      level: 'warn',
      message: 'decision',
      fields: {
        uid: 'uid-1',
        gate: 'admission',
        phase: 'validate',
        operation: 'CREATE',
        kind: 'Pod',
        namespace: 'shop',
        name: 'web',
        user: 'ana',
        outcome: 'deny',
        policies: ['registries'],
        faults: ['registries: PC_WASM_FUEL'],
        durationMs: 2,
        revision: 3,
      },
    });
    ok(!JSON.stringify(log.lines).includes('secret-in-message'));
  });
});

function create(options: Partial<TelemetryOptions> = {}): Telemetry {
  return createTelemetry({
    clock: createClock(),
    log: createMemoryLog('error'),
    version: '1.2.3',
    capacity: 100,
    ...options,
  });
}

function createClock(): TelemetryOptions['clock'] & { advance(ms: number): void } {
  let now = 0;
  return { now: () => now, wall: () => now, advance: (ms) => void (now += ms) };
}

/** Through the gate half, as in the server. */
function feed(telemetry: Telemetry, records: readonly DecisionRecord[], thread = 1): void {
  const gate = createGateTelemetry({ thread });
  for (const record of records) gate.decided(record);
  gate.refused('admission', 'PC_REVIEW_JSON');
  const batch = gate.drain();
  ok(batch);
  telemetry.absorb(structuredClone(batch));
}

function statusOf(name: string): PolicyStatus {
  return {
    name,
    state: 'loaded',
    lastGood: false,
    standsIn: false,
    warnings: [],
    origin: `${name}.yaml`,
    engine: 'plugin',
    lastFaults: [],
  };
}
