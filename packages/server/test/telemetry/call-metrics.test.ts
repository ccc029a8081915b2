import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createGateTelemetry } from '../../src/telemetry/gate-telemetry.ts';
import type { ModuleCacheReading } from '../../src/telemetry/metrics/server-reading.ts';
import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';
import { createMemoryLog } from './memory-log.ts';
import { parseExposition, type ParsedFamily } from './parse-exposition.ts';

const clock = { now: () => 0, wall: () => 0 };

function open(): Telemetry {
  return createTelemetry({ clock, log: createMemoryLog('error'), version: '1', capacity: 1 });
}

async function scrape(
  telemetry: Telemetry,
  moduleCache?: ModuleCacheReading,
): Promise<ReadonlyMap<string, ParsedFamily>> {
  const { text } = await telemetry.metrics({
    policies: [],
    built: 1,
    threads: { wanted: 1, alive: 1, replaced: 0, revision: 1 },
    reloadFailures: 0,
    certificates: [],
    exceptions: [],
    ...(moduleCache === undefined ? {} : { moduleCache }),
  });
  return parseExposition(text);
}

/** Labels, joined, to values; of one line of the family. */
function lines(families: ReadonlyMap<string, ParsedFamily>, family: string, name: string = family) {
  const samples = families.get(family)?.samples ?? [];
  return Object.fromEntries(
    samples
      .filter((sample) => sample.name === name)
      .map(({ labels, value }) => [[...labels.values()].join(' '), value]),
  );
}

test('host calls of all threads are counted together, in a thread that decides nothing too', async () => {
  const telemetry = open();
  for (const thread of [0, 1]) {
    const gate = createGateTelemetry({ thread });
    gate.hostCalled('oci/v2/verify', 'ok', 20);
    gate.hostCalled('oci/v2/verify', 'timeout', 2000);
    gate.hostCalled('unknown', 'refused');
    const batch = gate.drain();
    ok(batch);
    equal(gate.drain(), undefined);
    telemetry.absorb(structuredClone(batch));
  }
  const families = await scrape(telemetry);
  deepEqual(lines(families, 'portcullis_host_calls_total'), {
    'oci/v2/verify ok': 2,
    'oci/v2/verify timeout': 2,
    'unknown refused': 2,
  });
  const durations = 'portcullis_host_call_duration_seconds';
  deepEqual(lines(families, durations, `${durations}_count`), { 'oci/v2/verify': 4, unknown: 0 });
  deepEqual(lines(families, durations, `${durations}_sum`), { 'oci/v2/verify': 4.04, unknown: 0 });
});

test('registries past the first fifty share one series', async () => {
  const telemetry = open();
  for (let round = 0; round < 2; round += 1) {
    for (let number = 0; number < 60; number += 1) {
      telemetry.registries.asked(`registry-${number}.example`, 'not_found', 10);
    }
  }
  const requests = lines(await scrape(telemetry), 'portcullis_registry_requests_total');
  equal(Object.keys(requests).length, 51);
  equal(requests['registry-0.example not_found'], 2);
  equal(requests['other not_found'], 20);
});

test('the cache of modules is read at the scrape, and has no series where there is none', async () => {
  const telemetry = open();
  const reads = 'portcullis_module_cache_reads_total';
  deepEqual(lines(await scrape(telemetry), reads), {});
  const families = await scrape(telemetry, { hits: 3, misses: 2, damaged: 1, failedWrites: 4, bytes: 500 });
  deepEqual(lines(families, reads), { hit: 3, miss: 2, damaged: 1 });
  deepEqual(lines(families, 'portcullis_module_cache_failures_total'), { '': 4 });
  deepEqual(lines(families, 'portcullis_module_cache_bytes'), { '': 500 });
});
