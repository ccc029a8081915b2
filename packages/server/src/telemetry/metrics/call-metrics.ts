import type { Calls } from './calls.ts';
import { DURATION_BOUNDS, type HistogramCells } from './histogram.ts';
import { counter, gauge, type MetricDefinition, type MetricsView, type Sample } from './metric-definition.ts';
import type { ModuleCacheReading } from './server-reading.ts';

/** What policies ask of the host, and what the server asks of registries. */
export const CALL_METRICS: readonly MetricDefinition[] = [
  counter(
    'portcullis_host_calls_total',
    'What policies asked of the host, by what came of it: `ok`, `refused`, `failed` or `timeout`.',
    { labels: ['capability', 'outcome'], read: ({ totals }) => outcomes(totals.hostCalls) },
  ),
  {
    name: 'portcullis_host_call_duration_seconds',
    type: 'histogram',
    help: 'Time until the host had answered a policy, but for what was refused before it was asked.',
    labels: ['capability'],
    bounds: DURATION_BOUNDS,
    read: ({ totals }) => durations(totals.hostCalls),
  },
  counter(
    'portcullis_registry_requests_total',
    'Requests to OCI registries and mirrors, by host; hosts past the first 50 are `other`.',
    { labels: ['registry', 'outcome'], read: ({ registries }) => outcomes(registries) },
  ),
  {
    name: 'portcullis_registry_request_duration_seconds',
    type: 'histogram',
    help: 'Time of one request to a registry or mirror, its token and redirects included.',
    labels: ['registry'],
    bounds: DURATION_BOUNDS,
    read: ({ registries }) => durations(registries),
  },
  counter(
    'portcullis_module_cache_reads_total',
    'Manifests and modules that were looked for on disk; one that is damaged is removed and fetched again.',
    {
      labels: ['result'],
      read: perCache(({ hits, misses, damaged }) => [
        [['hit'], hits],
        [['miss'], misses],
        [['damaged'], damaged],
      ]),
    },
  ),
  counter('portcullis_module_cache_failures_total', 'Failures to write or tidy the cache of modules.', {
    labels: [],
    read: perCache(({ failedWrites }) => [[[], failedWrites]]),
  }),
  gauge('portcullis_module_cache_bytes', 'What lies in the cache of modules.', {
    labels: [],
    read: perCache(({ bytes }) => [[[], bytes]]),
  }),
];

function outcomes(calls: Calls): Sample<number>[] {
  return [...calls].flatMap(([key, cells]) =>
    [...cells.outcomes].map(([outcome, count]): Sample<number> => [[key, outcome], count]),
  );
}

function durations(calls: Calls): Sample<HistogramCells>[] {
  return [...calls].map(([key, cells]) => [[key], cells.durations]);
}

function perCache(
  read: (cache: ModuleCacheReading) => readonly Sample<number>[],
): (view: MetricsView) => readonly Sample<number>[] {
  return ({ reading: { moduleCache } }) => (moduleCache === undefined ? [] : read(moduleCache));
}
