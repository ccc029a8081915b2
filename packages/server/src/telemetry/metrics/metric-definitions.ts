import type { Outcome, PolicyStatus } from '@portcullis/contract';
import type { Accumulation, PolicyCells, Tally } from './accumulation.ts';
import { DURATION_BOUNDS, FUEL_BOUNDS, type HistogramCells } from './histogram.ts';
import { CALL_METRICS } from './call-metrics.ts';
import { CLUSTER_METRICS } from './cluster-metrics.ts';
import { KUBEWARDEN_METRICS } from './kubewarden-metrics.ts';
import { counter, gauge, type MetricDefinition, type MetricsView, type Sample } from './metric-definition.ts';

const STATES: readonly PolicyStatus['state'][] = ['loaded', 'refused', 'disabled'];

/** How the plugin reference calls outcomes. */
const RESULTS: Readonly<Record<Outcome, string>> = {
  allow: 'allowed',
  deny: 'denied',
  fault: 'error',
  abstain: 'abstained',
};

/**
 * Every metric of ours: registration, values and the page in the docs come from here. No label holds the name of an object or a
 * user; labels with names of policies end with the policy.
 */
export const METRICS: readonly MetricDefinition[] = [
  counter('portcullis_decisions_total', 'Decisions of the whole chain.', {
    labels: ['gate', 'phase', 'operation', 'outcome'],
    read: ({ totals }) => tallied(totals.decisions),
  }),
  {
    name: 'portcullis_request_duration_seconds',
    type: 'histogram',
    help: 'Time from a parsed request to its decision.',
    labels: ['gate', 'phase'],
    bounds: DURATION_BOUNDS,
    read: ({ totals }) => [...totals.durations].map(([key, cells]) => [key.split(' '), cells]),
  },
  counter('portcullis_refused_requests_total', 'Requests that never became a review, by the reason.', {
    labels: ['gate', 'code'],
    read: ({ totals }) => tallied(totals.refused),
  }),
  gauge('portcullis_requests_in_flight', 'Requests that gate threads are busy with.', {
    labels: [],
    read: ({ inFlight }) => [[[], inFlight]],
  }),
  counter('portcullis_policy_evaluations_total', 'Verdicts of each policy, before mode and failure policy.', {
    labels: ['policy', 'outcome', 'mode'],
    read: ({ totals }) => perPolicy(totals, ({ evaluations }) => tallied(evaluations)),
  }),
  {
    name: 'portcullis_policy_evaluation_duration_seconds',
    type: 'histogram',
    help: 'Time of one evaluation, waiting for its turn included.',
    labels: ['policy'],
    bounds: DURATION_BOUNDS,
    read: ({ totals }) => perPolicy(totals, ({ durations }) => [[[], durations]]),
  },
  {
    name: 'portcullis_policy_fuel',
    type: 'histogram',
    help: 'Fuel of one evaluation: about one unit per Wasm instruction. The sum is the fuel of all.',
    labels: ['policy'],
    bounds: FUEL_BOUNDS,
    read: ({ totals }) => perPolicy(totals, ({ fuel }) => [[[], fuel]]),
  },
  gauge('portcullis_policy_memory_bytes', 'Most linear memory that one evaluation has used.', {
    labels: ['policy'],
    read: ({ totals }) => perPolicy(totals, ({ memoryBytes }) => [[[], memoryBytes]]),
  }),
  counter('portcullis_policy_faults_total', 'Evaluations that ended without an answer, by fault code.', {
    labels: ['policy', 'code'],
    read: ({ totals }) => perPolicy(totals, ({ faults }) => tallied(faults)),
  }),
  counter(
    'portcullis_policy_kept_fields_total',
    'Fields that a mutating policy did not return and that stayed: it may not know them, or want to remove them without saying so.',
    {
      labels: ['policy'],
      read: ({ totals }) =>
        perPolicy(totals, ({ keptFields }) => (keptFields === 0 ? [] : [[[], keptFields]])),
    },
  ),
  gauge('portcullis_policies', 'Policies by state.', {
    labels: ['state'],
    read: ({ reading }) =>
      STATES.map((state) => [[state], reading.policies.filter((policy) => policy.state === state).length]),
  }),
  gauge(
    'portcullis_policy_set_revision',
    'Newest policy set built, and the one that every thread decides by.',
    {
      labels: ['kind'],
      read: ({ reading: { built, threads } }) => [
        [['built'], built],
        [['in_force'], threads.revision],
      ],
    },
  ),
  counter('portcullis_reload_failures_total', 'Reloads that found a new problem.', {
    labels: [],
    read: ({ reading }) => [[[], reading.reloadFailures]],
  }),
  gauge('portcullis_last_reload_timestamp_seconds', 'When the policies were last read.', {
    labels: [],
    read: ({ reading: { lastReload } }) => (lastReload === undefined ? [] : [[[], lastReload / 1000]]),
  }),
  gauge('portcullis_certificate_expiry_timestamp_seconds', 'When each certificate expires.', {
    labels: ['name'],
    read: ({ reading }) => reading.certificates.map(({ name, notAfter }) => [[name], notAfter / 1000]),
  }),
  counter('portcullis_certificate_reloads_total', 'Changed certificate files, by what came of them.', {
    labels: ['name', 'result'],
    read: ({ reading }) =>
      reading.certificates.flatMap(({ name, succeeded, failed }): Sample<number>[] => [
        [[name, 'ok'], succeeded],
        [[name, 'failed'], failed],
      ]),
  }),
  gauge('portcullis_gate_threads', 'Gate threads that are wanted, and that serve.', {
    labels: ['kind'],
    read: ({ reading: { threads } }) => [
      [['wanted'], threads.wanted],
      [['alive'], threads.alive],
    ],
  }),
  counter('portcullis_gate_thread_restarts_total', 'Gate threads that died and were replaced.', {
    labels: [],
    read: ({ reading }) => [[[], reading.threads.replaced]],
  }),
  counter(
    'portcullis_decision_records_dropped_total',
    'Decisions that were counted but are missing in decision log, logs and traces, because there were too many at once.',
    { labels: [], read: ({ recordsDropped }) => [[[], recordsDropped]] },
  ),
  gauge('portcullis_build_info', 'Always 1; the version is the label.', {
    labels: ['version'],
    read: ({ version }) => [[[version], 1]],
  }),
  counter('webhook_requests_total', 'Admission reviews, under the name of the plugin reference.', {
    labels: ['webhook', 'result'],
    read: ({ totals }) => webhookRequests(totals.decisions),
  }),
  {
    name: 'webhook_request_duration_seconds',
    type: 'histogram',
    help: 'Time of admission reviews, under the name of the plugin reference.',
    labels: ['webhook'],
    bounds: DURATION_BOUNDS,
    read: ({ totals }) =>
      [...totals.durations].flatMap(([key, cells]): Sample<HistogramCells>[] => {
        const [gate, phase = ''] = key.split(' ');
        return gate === 'admission' ? [[[phase], cells]] : [];
      }),
  },
  counter('plugin_executions_total', 'Evaluations of policies of the plugin engine.', {
    labels: ['plugin', 'result'],
    read: (view) => perPlugin(view, ({ evaluations }) => byResult(evaluations)),
  }),
  {
    name: 'plugin_execution_duration_seconds',
    type: 'histogram',
    help: 'Time of one evaluation of a policy of the plugin engine.',
    labels: ['plugin'],
    bounds: DURATION_BOUNDS,
    read: (view) => perPlugin(view, ({ durations }) => [[[], durations]]),
  },
  counter(
    'plugin_errors_total',
    'Evaluations of the plugin engine that ended without an answer, by fault code.',
    {
      labels: ['plugin', 'code'],
      read: (view) => perPlugin(view, ({ faults }) => tallied(faults)),
    },
  ),
  ...KUBEWARDEN_METRICS,
  ...CALL_METRICS,
  ...CLUSTER_METRICS,
];

function tallied(tally: Tally): Sample<number>[] {
  return [...tally].map(([key, count]) => [key.split(' '), count]);
}

function perPolicy<T>(
  { policies }: Pick<Accumulation, 'policies'>,
  read: (cells: PolicyCells) => readonly Sample<T>[],
): Sample<T>[] {
  return [...policies].flatMap(([policy, cells]) =>
    read(cells).map(([labels, value]): Sample<T> => [[policy, ...labels], value]),
  );
}

function perPlugin<T>(
  { totals, reading }: MetricsView,
  read: (cells: PolicyCells) => readonly Sample<T>[],
): Sample<T>[] {
  const plugins = new Set(
    reading.policies.filter(({ engine }) => engine === 'plugin').map(({ name }) => name),
  );
  const policies = new Map([...totals.policies].filter(([policy]) => plugins.has(policy)));
  return perPolicy({ policies }, read);
}

/** Over all modes. */
function byResult(evaluations: Tally): Sample<number>[] {
  const results = new Map<string, number>();
  for (const [key, count] of evaluations) {
    const [outcome = ''] = key.split(' ');
    const result = RESULTS[outcome as Outcome];
    results.set(result, (results.get(result) ?? 0) + count);
  }
  return [...results].map(([result, count]) => [[result], count]);
}

function webhookRequests(decisions: Tally): Sample<number>[] {
  const requests = new Map<string, number>();
  for (const [key, count] of decisions) {
    const [gate, phase = '', , outcome = ''] = key.split(' ');
    if (gate !== 'admission') continue;
    const name = `${phase} ${outcome === 'unknown' ? 'error' : RESULTS[outcome as Outcome]}`;
    requests.set(name, (requests.get(name) ?? 0) + count);
  }
  return tallied(requests);
}
