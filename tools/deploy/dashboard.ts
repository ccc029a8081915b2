/** Expressions in PromQL, each with the legend of its lines. */
type Targets = Readonly<Record<string, string>>;

interface Panel {
  readonly title: string;
  /** Grafana's name of it. */
  readonly unit: string;
  /** Default: lines over time. */
  readonly type?: 'stat';
  readonly targets: Targets;
}

const RATE = '[$__rate_interval]';
const OF = '{namespace="$namespace"}';

/** A row of panels answers one question. */
const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  'Is it well?': [
    {
      title: 'Policies that are refused',
      unit: 'none',
      type: 'stat',
      targets: { refused: `max(portcullis_policies{namespace="$namespace",state="refused"})` },
    },
    {
      title: 'Replicas that lead',
      unit: 'none',
      type: 'stat',
      targets: { leading: `sum(portcullis_leader${OF})` },
    },
    {
      title: 'Certificate: time left',
      unit: 's',
      type: 'stat',
      targets: { left: `min(portcullis_certificate_expiry_timestamp_seconds${OF}) - time()` },
    },
    {
      title: 'Registration, by replica',
      unit: 'none',
      type: 'stat',
      targets: { '{{state}}': `sum by (state) (portcullis_registration${OF} == 1)` },
    },
  ],
  'What does it decide?': [
    {
      title: 'Decisions',
      unit: 'reqps',
      targets: {
        '{{phase}} {{outcome}}': `sum by (phase, outcome) (rate(portcullis_decisions_total${OF}${RATE}))`,
      },
    },
    {
      title: 'Denials, by policy',
      unit: 'reqps',
      targets: {
        '{{policy}} ({{mode}})': `sum by (policy, mode) (rate(portcullis_policy_evaluations_total{namespace="$namespace",outcome="deny"}${RATE}))`,
      },
    },
    {
      title: 'Evaluations without an answer',
      unit: 'reqps',
      targets: {
        '{{policy}} {{code}}': `sum by (policy, code) (rate(portcullis_policy_faults_total${OF}${RATE}))`,
      },
    },
  ],
  'How long does it take?': [
    { title: 'Requests', unit: 's', targets: quantiles('portcullis_request_duration_seconds', 'phase') },
    {
      title: 'Evaluations, p99 by policy',
      unit: 's',
      targets: { '{{policy}}': quantile(0.99, 'portcullis_policy_evaluation_duration_seconds', 'policy') },
    },
    {
      title: 'Requests under way and refused',
      unit: 'none',
      targets: {
        'under way': `sum(portcullis_requests_in_flight${OF})`,
        'refused per second: {{code}}': `sum by (code) (rate(portcullis_refused_requests_total${OF}${RATE}))`,
      },
    },
  ],
  'Does it get what it asks for?': [
    {
      title: 'What policies ask of the host',
      unit: 'reqps',
      targets: {
        '{{capability}} {{outcome}}': `sum by (capability, outcome) (rate(portcullis_host_calls_total${OF}${RATE}))`,
      },
    },
    {
      title: 'Answers of the host, p99',
      unit: 's',
      targets: { '{{capability}}': quantile(0.99, 'portcullis_host_call_duration_seconds', 'capability') },
    },
    {
      title: 'Registries',
      unit: 'reqps',
      targets: {
        '{{registry}} {{outcome}}': `sum by (registry, outcome) (rate(portcullis_registry_requests_total${OF}${RATE}))`,
      },
    },
    {
      title: 'Modules from the disk',
      unit: 'none',
      targets: {
        '{{result}}': `sum by (result) (increase(portcullis_module_cache_reads_total${OF}[1h]))`,
        'not written': `sum(increase(portcullis_module_cache_failures_total${OF}[1h]))`,
      },
    },
  ],
  'Does it know what the cluster says?': [
    {
      title: 'Staleness of watches',
      unit: 's',
      targets: { '{{resource}}': `max by (resource) (portcullis_kubernetes_watch_staleness_seconds${OF})` },
    },
    {
      title: 'Watches opened again',
      unit: 'reqps',
      targets: {
        '{{resource}} {{reason}}': `sum by (resource, reason) (rate(portcullis_kubernetes_watch_restarts_total${OF}${RATE}))`,
      },
    },
    {
      title: 'Policy sets: built, and in force',
      unit: 'none',
      targets: { '{{pod}} {{kind}}': `portcullis_policy_set_revision${OF}` },
    },
    {
      title: 'Repairs, failed writes, lost records',
      unit: 'none',
      targets: {
        'webhook configurations put right': `sum(increase(portcullis_registration_repairs_total${OF}[1h]))`,
        'statuses not written': `sum(increase(portcullis_status_write_failures_total${OF}[1h]))`,
        'events not written': `sum(increase(portcullis_events_dropped_total${OF}[1h]))`,
        'decision records dropped': `sum(increase(portcullis_decision_records_dropped_total${OF}[1h]))`,
        'gate threads replaced': `sum(increase(portcullis_gate_thread_restarts_total${OF}[1h]))`,
      },
    },
  ],
};

const WIDTH = 24;
const HEIGHT = 8;

/** The dashboard of Grafana, as JSON. */
export function dashboardFile(): string {
  const panels = Object.entries(ROWS).flatMap(([title, row], index) => [
    { type: 'row', title, collapsed: false, panels: [], gridPos: place(0, index * (HEIGHT + 1), WIDTH, 1) },
    ...row.map((panel, column) => {
      const width = Math.floor(WIDTH / row.length);
      return drawn(panel, place(column * width, index * (HEIGHT + 1) + 1, width, HEIGHT));
    }),
  ]);
  const dashboard = {
    uid: 'portcullis',
    title: 'Portcullis',
    tags: ['portcullis', 'kubernetes', 'admission'],
    schemaVersion: 41,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: { list: [dataSource(), namespaces()] },
    panels: panels.map((panel, index) => ({ id: index + 1, ...panel })),
  };
  return JSON.stringify(dashboard);
}

function quantile(q: number, metric: string, by: string): string {
  return `histogram_quantile(${q}, sum by (${by}, le) (rate(${metric}_bucket${OF}${RATE})))`;
}

function quantiles(metric: string, by: string): Targets {
  return Object.fromEntries([0.5, 0.9, 0.99].map((q) => [`{{${by}}} p${q * 100}`, quantile(q, metric, by)]));
}

function place(x: number, y: number, w: number, h: number): object {
  return { x, y, w, h };
}

function drawn({ title, unit, type, targets }: Panel, gridPos: object): object {
  return {
    type: type ?? 'timeseries',
    title,
    gridPos,
    datasource: { type: 'prometheus', uid: '${datasource}' },
    fieldConfig: { defaults: { unit }, overrides: [] },
    targets: Object.entries(targets).map(([legendFormat, expr], index) => ({
      refId: String.fromCodePoint(65 + index),
      expr,
      legendFormat,
    })),
  };
}

function dataSource(): object {
  return { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' };
}

function namespaces(): object {
  return {
    name: 'namespace',
    type: 'query',
    label: 'Namespace',
    datasource: { type: 'prometheus', uid: '${datasource}' },
    query: 'label_values(portcullis_build_info, namespace)',
    refresh: 2,
  };
}
