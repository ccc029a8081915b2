import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { DecisionRecord } from '@portcullis/contract';
import { createGateTelemetry } from '../../src/telemetry/gate-telemetry.ts';
import { makeContribution, makeFault, makeRecord } from './make-record.ts';

describe('gate telemetry', () => {
  test('has nothing to tell before the first decision and after a drain', () => {
    const telemetry = createGateTelemetry();
    equal(telemetry.drain(), undefined);
    telemetry.decided(makeRecord());
    ok(telemetry.drain());
    equal(telemetry.drain(), undefined);
  });

  test('counts decisions, refusals and evaluations by their labels', () => {
    const telemetry = createGateTelemetry({ thread: 4 });
    telemetry.decided(makeRecord());
    telemetry.decided(makeRecord({ durationMs: 64_000 }));
    telemetry.decided(makeFault());
    telemetry.refused('admission', 'PC_REVIEW_JSON');
    const batch = telemetry.drain();
    equal(batch?.thread, 4);
    deepEqual(
      batch?.counted.decisions,
      new Map([
        ['admission validate CREATE allow', 2],
        ['admission validate CREATE deny', 1],
      ]),
    );
    deepEqual(batch?.counted.refused, new Map([['admission PC_REVIEW_JSON', 1]]));
    const cells = batch?.counted.policies.get('registries');
    deepEqual(
      cells?.evaluations,
      new Map([
        ['allow enforce', 2],
        ['fault enforce', 1],
      ]),
    );
    deepEqual(cells?.faults, new Map([['PC_WASM_FUEL', 1]]));
    equal(cells?.fuel.sum, 6000);
    equal(cells?.memoryBytes, 65_536);
    const durations = batch?.counted.durations.get('admission validate');
    equal(durations?.counts.at(-1), 1, 'a minute is above every bound');
    equal(durations?.sum.toFixed(3), '64.004');
  });

  test('a batch survives the way between threads', () => {
    const telemetry = createGateTelemetry();
    telemetry.decided(makeFault());
    const batch = telemetry.drain();
    deepEqual(structuredClone(batch), batch);
  });

  test('keeps denials and faults before allows, newer before older, and counts the rest', () => {
    const kinds = fc.constantFrom('allow', 'deny', 'fault', 'ignored');
    fc.assert(
      fc.property(
        fc.array(kinds, { maxLength: 40 }),
        fc.integer({ min: 0, max: 12 }),
        (sequence, capacity) => {
          const telemetry = createGateTelemetry({ ringCapacity: capacity });
          const records = sequence.map((kind, index) => recordOf(kind, index));
          for (const record of records) telemetry.decided(record);
          const batch = telemetry.drain();
          const notable = records.filter(({ uid }) => !uid.startsWith('allow'));
          const allowed = records.filter(({ uid }) => uid.startsWith('allow'));
          const kept = newest(notable, capacity);
          const expected = [...kept, ...newest(allowed, capacity - kept.length)].sort(
            (a, b) => a.time - b.time,
          );
          deepEqual(batch?.records ?? [], expected);
          equal(batch?.recordsDropped ?? 0, records.length - expected.length);
          let counted = 0;
          for (const count of batch?.counted.decisions.values() ?? []) counted += count;
          equal(counted, records.length, 'every decision is counted');
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });

  test('cuts the texts of a record', () => {
    const telemetry = createGateTelemetry();
    const long = 'x'.repeat(100_000);
    telemetry.decided(
      makeRecord({
        uid: long,
        message: long,
        auditAnnotations: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}`, long])),
        contributions: [makeContribution({ outcome: 'deny', message: long })],
      }),
    );
    const [record] = telemetry.drain()?.records ?? [];
    ok(JSON.stringify(record).length < 64 * 2200 + 10_000);
    equal(record?.uid.length, 512);
    equal(record?.message?.length, 2048);
  });

  test('reports what is under way until it is over', () => {
    let busy = 2;
    const telemetry = createGateTelemetry({ inFlight: () => busy });
    equal(telemetry.drain()?.inFlight, 2);
    busy = 0;
    equal(telemetry.drain()?.inFlight, 0, 'the return to 0 is told');
    equal(telemetry.drain(), undefined);
  });
});

function recordOf(kind: string, index: number): DecisionRecord {
  const changes = { uid: `${kind}-${index}`, time: index };
  if (kind === 'deny') return makeRecord({ ...changes, outcome: 'deny' });
  if (kind === 'fault') return makeFault(changes);
  if (kind === 'ignored') return makeFault({ ...changes, outcome: 'allow' });
  return makeRecord(changes);
}

function newest<T>(items: readonly T[], count: number): readonly T[] {
  return count <= 0 ? [] : items.slice(-count);
}
