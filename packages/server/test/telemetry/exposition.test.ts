import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { DecisionRecord } from '@portcullis/contract';
import { createGateTelemetry } from '../../src/telemetry/gate-telemetry.ts';
import type { ServerReading } from '../../src/telemetry/metrics/server-reading.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { makeContribution, makeRecord } from './make-record.ts';
import { createMemoryLog } from './memory-log.ts';
import { parseExposition, type ParsedFamily, type ParsedSample } from './parse-exposition.ts';

const POLICIES = ['registries', 'replicas', 'labels'];

describe('the exposition, read back', () => {
  test('says what was decided, whatever was decided and in how many batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(records(), { maxLength: 12 }), { maxLength: 4 }),
        async (batches) => {
          const families = await scrape(batches);
          const all = batches.flat();
          const parts = all.flatMap(({ contributions }) => contributions);
          equal(total(families, 'portcullis_decisions_total'), all.length);
          equal(total(families, 'webhook_requests_total'), all.length);
          equal(total(families, 'portcullis_policy_evaluations_total'), parts.length);
          equal(
            total(families, 'portcullis_policy_faults_total'),
            parts.filter(({ fault }) => fault !== undefined).length,
          );
          for (const policy of POLICIES) {
            const own = parts.filter((part) => part.policy === policy);
            const fuel = (suffix: string): number =>
              total(families, 'portcullis_policy_fuel', { policy }, `portcullis_policy_fuel${suffix}`);
            equal(fuel('_count'), own.length);
            equal(
              fuel('_sum'),
              own.reduce((sum, part) => sum + part.fuel, 0),
            );
            equal(
              total(families, 'portcullis_policy_memory_bytes', { policy }),
              Math.max(0, ...own.map(({ memoryBytes }) => memoryBytes)),
            );
            equal(
              total(families, 'portcullis_policy_kept_fields_total', { policy }),
              own.reduce((sum, { keptFields = 0 }) => sum + keptFields, 0),
            );
          }
          for (const [name, family] of families)
            if (family.type === 'histogram') checkHistogram(name, family);
        },
      ),
      { seed: 11, numRuns: 100 },
    );
  });

  test('a bucket holds what is not above its bound', async () => {
    const durations = [0.1, 0.1001, 1, 30_000, 30_001];
    const families = await scrape([durations.map((durationMs) => makeRecord({ durationMs }))]);
    const name = 'portcullis_request_duration_seconds';
    const bucket = (le: string): number => total(families, name, { le }, `${name}_bucket`);
    deepEqual(
      [bucket('0.0001'), bucket('0.00025'), bucket('0.001'), bucket('30'), bucket('+Inf')],
      [1, 2, 3, 4, 5],
    );
  });

  test('policies that are asked by name have the metrics of the policy-server too, others not', async () => {
    const part = makeContribution({ durationMs: 0.2 });
    const named = { origin: 'audit', accepted: false, mutated: true, code: 418 } as const;
    const families = await scrape([
      [
        makeRecord({ contributions: [part], named }),
        makeRecord({
          contributions: [{ ...part, mode: 'audit' }],
          named: { ...named, origin: 'validate_raw' },
        }),
        makeRecord({ contributions: [part] }),
      ],
      [makeRecord({ contributions: [part], named })],
    ]);
    const name = 'kubewarden_policy_evaluations_total';
    const latency = 'kubewarden_policy_evaluation_latency_milliseconds';
    const verdict = { policy_name: 'registries', accepted: 'false', mutated: 'true', error_code: '418' };
    const audited = {
      ...verdict,
      policy_mode: 'protect',
      resource_kind: 'Pod',
      resource_namespace: 'shop',
      resource_request_operation: 'CREATE',
      request_origin: 'audit',
    };
    const raw = {
      ...verdict,
      policy_mode: 'monitor',
      resource_kind: '',
      resource_namespace: '',
      resource_request_operation: '',
      request_origin: '',
    };
    deepEqual(
      [{}, audited, raw].map((labels) => total(families, name, labels)),
      [3, 2, 1],
    );
    const bucket = (le: string): number => total(families, latency, { ...audited, le }, `${latency}_bucket`);
    deepEqual([bucket('0.1'), bucket('0.25'), bucket('+Inf')], [0, 2, 2]);
  });

  test('policies that are asked by name and cannot be loaded, with the code of the problem', async () => {
    const status = {
      state: 'refused',
      lastGood: false,
      standsIn: true,
      warnings: [],
      origin: 'policies.yml',
      lastFaults: [],
      problem: { code: 'PC_MODULE_MISSING', message: 'cannot read it' },
    } as const;
    const { problem: _problem, ...sound } = status;
    const families = await scrape([], {
      policies: [
        { ...status, name: 'gone', named: true },
        { ...status, name: 'ours' },
        { ...sound, name: 'fine', state: 'loaded', standsIn: false, named: true },
      ],
    });
    const family = families.get('kubewarden_policy_evaluations_total');
    deepEqual(
      family?.samples.map(({ labels, value }) => [[...labels].filter(([, label]) => label !== ''), value]),
      [
        [
          [
            ['policy_name', 'gone'],
            ['initialization_error', 'PC_MODULE_MISSING'],
          ],
          1,
        ],
      ],
    );
  });

  test('names of others fill a bounded number of series, and no name breaks one', async () => {
    const named = { origin: 'validate', accepted: true, mutated: false } as const;
    const asked = (namespace: string, kind = 'Pod'): DecisionRecord =>
      makeRecord({ namespace, kind: { group: '', version: 'v1', kind }, named });
    const many = Array.from({ length: 2000 }, (_, index) => asked(`n${index}`));
    const families = await scrape([[asked('a b\n', 'x "'.repeat(500))], many, many]);
    const family = families.get('kubewarden_policy_evaluations_total');
    ok((family?.samples.length ?? 0) <= 257);
    equal(total(families, 'kubewarden_policy_evaluations_total'), 4001);
  });

  test('label values come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('\\', '"', '\n', '}', ',', ' ', 'n', 'ä') }),
        async (name) => {
          const families = await scrape([], {
            exceptions: ['active'],
            certificates: [{ name, notAfter: 5000, succeeded: 0, failed: 0 }],
          });
          equal(total(families, 'portcullis_certificate_expiry_timestamp_seconds', { name }), 5);
        },
      ),
      { seed: 12, numRuns: 100 },
    );
  });
});

function records(): fc.Arbitrary<DecisionRecord> {
  const contribution = fc
    .record({
      policy: fc.constantFrom(...POLICIES),
      outcome: fc.constantFrom('allow', 'deny', 'fault', 'abstain'),
      mode: fc.constantFrom('enforce', 'warn', 'audit'),
      durationMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
      fuel: fc.nat(2_000_000_000),
      memoryBytes: fc.nat(1_000_000_000),
      keptFields: fc.nat(3),
    })

    .map((part) => makeContribution(part.outcome === 'fault' ? { ...part, fault: 'PC_WASM_FUEL' } : part));
  return fc
    .record({
      phase: fc.constantFrom('mutate', 'validate'),
      operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
      outcome: fc.constantFrom('allow', 'deny', 'unknown'),
      durationMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
      contributions: fc.array(contribution, { maxLength: 3 }),
    })
    .map(makeRecord);
}

/** Each batch from a thread of its own. */
async function scrape(
  batches: readonly (readonly DecisionRecord[])[],
  changes: Partial<ServerReading> = {},
): Promise<ReadonlyMap<string, ParsedFamily>> {
  const clock = { now: () => 0, wall: () => 0 };
  const telemetry = createTelemetry({ clock, log: createMemoryLog('error'), version: '1.2.3', capacity: 10 });
  for (const [thread, batch] of batches.entries()) {
    const gate = createGateTelemetry({ thread, ringCapacity: 2 });
    for (const record of batch) gate.decided(record);
    const drained = gate.drain();
    if (drained !== undefined) telemetry.absorb(structuredClone(drained));
  }
  const { text } = await telemetry.metrics({
    policies: POLICIES.map((name) => ({
      name,
      state: 'loaded',
      lastGood: false,
      standsIn: false,
      warnings: [],
      origin: `${name}.yaml`,
      engine: 'plugin',
      lastFaults: [],
    })),
    built: 1,
    threads: { wanted: 1, alive: 1, replaced: 0, revision: 1 },
    reloadFailures: 0,
    certificates: [],
    exceptions: [],
    ...changes,
  });
  return parseExposition(text);
}

/** Sum of a family's samples that have these labels. */
function total(
  families: ReadonlyMap<string, ParsedFamily>,
  family: string,
  labels: Readonly<Record<string, string>> = {},
  name: string = family,
): number {
  const wanted = ({ name: own, labels: has }: ParsedSample): boolean =>
    own === name && Object.entries(labels).every(([label, value]) => has.get(label) === value);
  const samples = families.get(family)?.samples;
  ok(samples, `${family} is not exposed`);
  return samples.filter(wanted).reduce((sum, { value }) => sum + value, 0);
}

/** Buckets rise, in bounds and in counts, and end with `+Inf`, which is the count. */
function checkHistogram(name: string, { samples }: ParsedFamily): void {
  const series = Map.groupBy(samples, ({ labels }) =>
    JSON.stringify([...labels].filter(([label]) => label !== 'le')),
  );
  for (const [key, own] of series) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number((labels.get('le') ?? '').replace('+Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `${name} ${key}`,
    );
    equal(bounds.at(-1), Infinity);
    deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `${name} ${key}`,
    );
    equal(counts.at(-1), own.find((sample) => sample.name === `${name}_count`)?.value);
    ok(own.some((sample) => sample.name === `${name}_sum`));
  }
}
