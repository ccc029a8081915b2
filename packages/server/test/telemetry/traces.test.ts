import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { createDecisionTracer } from '../../src/telemetry/traces/decision-tracer.ts';
import { reportFailures } from '../../src/telemetry/traces/report-failures.ts';
import { parseTraceParent } from '../../src/telemetry/traces/trace-parent.ts';
import { makeContribution, makeFault, makeRecord } from './make-record.ts';
import { createMemoryLog } from './memory-log.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];

const SENT = JSON.parse('{"code":0}') as ExportResult;
const GONE = Object.assign(JSON.parse('{"code":1}') as ExportResult, { error: new Error('gone') });
const SETTINGS = { headers: { 'x-token': 'T' }, sampleRatio: 1, version: '1.2.3' } as const;

describe('spans of decisions', () => {
  test('one for the decision under the caller, and one for each policy under that', async () => {
    const spans = await trace(
      makeFault({
        traceParent: `00-${TRACE}-${CALLER}-01`,
        durationMs: 10,
        time: 1_700_000_000_000,
        contributions: [
          makeContribution({ policy: 'one', durationMs: 4 }),
          makeContribution({ policy: 'two', durationMs: 6, outcome: 'fault', fault: 'PC_WASM_FUEL' }),
        ],
      }),
    );
    deepEqual(
      spans.map(({ name }) => name),
      ['policy one', 'policy two', 'admission validate'],
    );
    const [one, two, decision] = spans;
    ok(one && two && decision);
    deepEqual(
      spans.map((span) => span.spanContext().traceId),
      [TRACE, TRACE, TRACE],
    );
    equal(decision.parentSpanContext?.spanId, CALLER);
    equal(one.parentSpanContext?.spanId, decision.spanContext().spanId);
    deepEqual(decision.startTime, [1_699_999_999, 990_000_000]);
    deepEqual(decision.endTime, [1_700_000_000, 0]);
    deepEqual(two.startTime, decision.startTime, 'validating policies start together');
    equal(two.status.code, SpanStatusCode.ERROR);
    equal(two.attributes['portcullis.fault'], 'PC_WASM_FUEL');
    equal(decision.attributes['portcullis.outcome'], 'deny');
    ok(!JSON.stringify(spans.map(({ attributes }) => attributes)).includes('out of fuel'));
  });

  test('mutating policies follow one another', async () => {
    const contributions = [makeContribution({ durationMs: 4 }), makeContribution({ durationMs: 6 })];
    const [one, two] = await trace(makeRecord({ phase: 'mutate', durationMs: 10, contributions }));
    deepEqual(two?.startTime, one?.endTime);
  });

  test('the caller decides about sampling; without one the ratio does', async () => {
    equal((await trace(makeRecord({ traceParent: `00-${TRACE}-${CALLER}-00` }))).length, 0);
    equal((await trace(makeRecord({ traceParent: `00-${TRACE}-${CALLER}-01` }), 0)).length, 2);
    equal((await trace(makeRecord(), 0)).length, 0);
    equal((await trace(makeRecord({ traceParent: 'garbage' }), 1)).length, 2);
  });

  test('they reach an OTLP/HTTP receiver with its headers', async () => {
    const received: { url: string | undefined; token: string | undefined; body: string }[] = [];
    const receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const token = request.headers['x-token'];
        received.push({ url: request.url, token: String(token), body: Buffer.concat(chunks).toString() });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    const endpoint = await listen(receiver);
    try {
      const tracer = createDecisionTracer({ ...SETTINGS, endpoint, log: createMemoryLog() });
      tracer.trace(makeRecord());
      await tracer.close();
    } finally {
      receiver.closeAllConnections();
      receiver.close();
    }
    equal(received.length, 1);
    equal(received[0]?.url, '/v1/traces');
    equal(received[0]?.token, 'T');
    match(received[0]?.body ?? '', /"service\.name","value":\{"stringValue":"portcullis"\}/);
    match(received[0]?.body ?? '', /"policy registries"/);
  });

  test('a receiver that refuses them is told once and does not keep the server from ending', async () => {
    const log = createMemoryLog();
    const receiver = createServer((_, response) =>
      response.writeHead(401, { connection: 'close' }).end('T is no token'),
    );
    const endpoint = await listen(receiver);
    // Not closed: the batches that are still on their way would find nobody and be tried for seconds.
    receiver.unref();
    const tracer = createDecisionTracer({ ...SETTINGS, endpoint, log });
    // More than one batch.
    for (let index = 0; index < 600; index += 1) tracer.trace(makeRecord());
    await tracer.close();
    deepEqual(
      log.lines.map(({ message }) => message),
      ['spans are lost: the receiver does not take them', 'the last spans were not sent'],
    );
    ok(!JSON.stringify(log.lines).includes('T is no token'));
  });

  test('a receiver that never answers does not keep the server from ending', async () => {
    const log = createMemoryLog();
    const exporter: SpanExporter = {
      export: (_, done) => done(SENT),
      shutdown: () => Promise.withResolvers<void>().promise,
    };
    const tracer = createDecisionTracer({
      ...SETTINGS,
      endpoint: 'http://unused.invalid',
      log,
      exporter,
      closeTimeout: 5,
    });
    tracer.trace(makeRecord());
    await tracer.close();
    deepEqual(log.lines[0], {
      level: 'warn',
      message: 'the last spans were not sent',
      fields: { reason: 'no answer in time' },
    });
  });

  test('a receiver that comes back is told', () => {
    const log = createMemoryLog();
    const results = [SENT, GONE, GONE, SENT];
    const exporter = reportFailures(
      {
        export: (_, done) => done(results.shift() ?? SENT),
        shutdown: async () => undefined,
      },
      log,
    );
    for (let index = 0; index < 5; index += 1) exporter.export([], () => undefined);
    deepEqual(log.lines, [
      {
        level: 'warn',
        message: 'spans are lost: the receiver does not take them',
        fields: { reason: 'gone' },
      },
      { level: 'info', message: 'the receiver takes spans again', fields: {} },
    ]);
  });
});

test('traceparent is read as W3C Trace Context has it', () => {
  deepEqual(parseTraceParent(`00-${TRACE}-${CALLER}-01`), { traceId: TRACE, spanId: CALLER, traceFlags: 1 });
  deepEqual(parseTraceParent(`cc-${TRACE}-${CALLER}-00-later`), {
    traceId: TRACE,
    spanId: CALLER,
    traceFlags: 0,
  });
  for (const wrong of [
    undefined,
    '',
    `ff-${TRACE}-${CALLER}-01`,
    `00-${'0'.repeat(32)}-${CALLER}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${CALLER}-01-more`,
    `00-${TRACE.toUpperCase()}-${CALLER}-01`,
    `00-${TRACE}-${CALLER}`,
  ]) {
    equal(parseTraceParent(wrong), undefined, String(wrong));
  }
});

async function trace(
  record: Parameters<typeof makeRecord>[0],
  sampleRatio = 1,
): Promise<readonly ReadableSpan[]> {
  const memory = new InMemorySpanExporter();
  const sent: ReadableSpan[] = [];
  // The exporter forgets its spans when it is shut down.
  const exporter = {
    export: memory.export.bind(memory),
    shutdown: async () => {
      sent.push(...memory.getFinishedSpans());
      await memory.shutdown();
    },
  };
  const tracer = createDecisionTracer({
    endpoint: 'http://unused.invalid',
    headers: {},
    sampleRatio,
    version: '1.2.3',
    log: createMemoryLog(),
    exporter,
  });
  tracer.trace(makeRecord(record));
  await tracer.close();
  return sent;
}

async function listen(server: Server): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', () => resolve());
  await promise;
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
