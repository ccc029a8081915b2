import type { HistogramCells } from './histogram.ts';
import { counter, type MetricDefinition, type MetricsView, type Sample } from './metric-definition.ts';
import { LATENCY_BOUNDS, NAMED_LABELS } from './named-answers.ts';

const LABELS = ['policy_name', ...NAMED_LABELS];

/** The metrics of Kubewarden's policy-server, of policies that are asked on its paths. */
export const KUBEWARDEN_METRICS: readonly MetricDefinition[] = [
  counter(
    'kubewarden_policy_evaluations_total',
    "What policies said themselves on the paths of Kubewarden's policy-server, before mode and message; and, with the code of the problem as `initialization_error`, policies whose newest version cannot be loaded.",
    {
      labels: [...LABELS, 'initialization_error'],
      read: (view) => [
        ...answers(view).map(([labels, { counts }]): Sample<number> => [
          [...labels, ''],
          counts.reduce((sum, count) => sum + count, 0),
        ]),
        ...unloaded(view),
      ],
    },
  ),
  {
    name: 'kubewarden_policy_evaluation_latency_milliseconds',
    type: 'histogram',
    help: 'Time of one evaluation on those paths.',
    labels: LABELS,
    bounds: LATENCY_BOUNDS,
    read: answers,
  },
];

function answers({ totals }: MetricsView): Sample<HistogramCells>[] {
  return [...totals.policies].flatMap(([policy, { named }]) =>
    [...named].map(([key, cells]): Sample<HistogramCells> => [[policy, ...key.split(' ')], cells]),
  );
}

/** Their texts may be anything; the code is what can be watched, and the status of the policy has the rest. */
function unloaded({ reading }: MetricsView): Sample<number>[] {
  return reading.policies.flatMap(({ name, named, problem }): Sample<number>[] =>
    named === true && problem !== undefined ? [[[name, ...NAMED_LABELS.map(() => ''), problem.code], 1]] : [],
  );
}
