import type { ExceptionStatus } from '@portcullis/contract';
import type { RegistrarPhase } from '../../cluster/registration/registrar.ts';
import { counter, gauge, type MetricDefinition, type MetricsView, type Sample } from './metric-definition.ts';
import type { ClusterReading } from './server-reading.ts';

const EXCEPTION_STATES: readonly ExceptionStatus['state'][] = ['active', 'expired', 'refused'];
const REGISTRATION_STATES: readonly RegistrarPhase[] = [
  'off',
  'waiting',
  'registered',
  'switched-off',
  'failing',
];

/** What a server in a cluster tells about it; without one they have no samples. */
export const CLUSTER_METRICS: readonly MetricDefinition[] = [
  gauge('portcullis_exceptions', 'Policy exceptions by state.', {
    labels: ['state'],
    read: ({ reading: { exceptions } }) =>
      EXCEPTION_STATES.map((state) => [[state], exceptions.filter((other) => other === state).length]),
  }),
  gauge('portcullis_kubernetes_watch_synced', '1 when all objects of a kind were listed at least once.', {
    labels: ['resource'],
    read: perWatch(({ name, synced }) => [[[name], synced ? 1 : 0]]),
  }),
  gauge('portcullis_kubernetes_watch_items', 'Objects of a kind that are known.', {
    labels: ['resource'],
    read: perWatch(({ name, items }) => [[[name], items]]),
  }),
  gauge(
    'portcullis_kubernetes_watch_staleness_seconds',
    'Time since the API server was last heard of a kind: an event, a bookmark or a whole list.',
    {
      labels: ['resource'],
      read: perWatch(({ name, staleness }) => (staleness === undefined ? [] : [[[name], staleness / 1000]])),
    },
  ),
  counter('portcullis_kubernetes_watch_restarts_total', 'Watches that were opened again, by the reason.', {
    labels: ['resource', 'reason'],
    read: perWatch(({ name, restarts }) =>
      restarts.map(([reason, count]): Sample<number> => [[name, reason], count]),
    ),
  }),
  gauge('portcullis_leader', '1 on the replica that writes status and registration.', {
    labels: [],
    read: perCluster(({ leading }) => [[[], leading ? 1 : 0]]),
  }),
  gauge(
    'portcullis_registration',
    'State of the webhook registration as this replica has it: 1 for the one it is in.',
    {
      labels: ['state'],
      read: perCluster(({ registration }) =>
        registration === undefined
          ? []
          : REGISTRATION_STATES.map((state): Sample<number> => [[state], state === registration ? 1 : 0]),
      ),
    },
  ),
  counter(
    'portcullis_registration_repairs_total',
    'Webhook configurations that somebody else changed or deleted, and that were put right.',
    { labels: [], read: perCluster(({ repairs }) => [[[], repairs]]) },
  ),
  counter('portcullis_status_write_failures_total', 'Statuses of objects that could not be written.', {
    labels: [],
    read: perCluster(({ statusFailures }) => [[[], statusFailures]]),
  }),
  counter('portcullis_events_dropped_total', 'Events for `kubectl events` that were not written.', {
    labels: [],
    read: perCluster(({ droppedEvents }) => [[[], droppedEvents]]),
  }),
];

function perCluster(
  read: (cluster: ClusterReading) => readonly Sample<number>[],
): (view: MetricsView) => readonly Sample<number>[] {
  return ({ reading: { cluster } }) => (cluster === undefined ? [] : read(cluster));
}

function perWatch(
  read: (watch: ClusterReading['watches'][number]) => readonly Sample<number>[],
): (view: MetricsView) => readonly Sample<number>[] {
  return perCluster(({ watches }) => watches.flatMap(read));
}
