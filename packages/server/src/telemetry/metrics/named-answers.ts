import type { Contribution, DecisionRecord, NamedAnswer } from '@portcullis/contract';
import {
  addCells,
  createHistogramCells,
  DURATION_BOUNDS,
  observe,
  type HistogramCells,
} from './histogram.ts';

/** Milliseconds, as the policy-server has them, but not whole ones: most evaluations take less than one. */
export const LATENCY_BOUNDS: readonly number[] = DURATION_BOUNDS.map((seconds) => seconds * 1000);

/** Latencies of one policy that was asked by its name, by the values of {@link NAMED_LABELS} with a space between them. */
export type NamedAnswers = Map<string, HistogramCells>;

/** Those of Kubewarden's policy-server without `policy_name`. What a raw request has not is empty. */
export const NAMED_LABELS = [
  'policy_mode',
  'resource_kind',
  'resource_namespace',
  'resource_request_operation',
  'accepted',
  'mutated',
  'request_origin',
  'error_code',
] as const;

/** Of one policy: kinds and namespaces are names of others. What is above counts under {@link OTHER}. */
const MAX_SERIES = 256;
/** No name of Kubernetes. */
const OTHER = '(other)';
/** Characters of a kind or a namespace in Kubernetes. */
const MAX_NAME = 63;

/** Counts what a policy said that was asked by its name. */
export function countNamed(
  into: NamedAnswers,
  named: NamedAnswer,
  record: DecisionRecord,
  { mode, durationMs }: Contribution,
): void {
  const isRaw = named.origin === 'validate_raw';
  const resource = isRaw ? ['', ''] : [record.kind.kind, record.namespace].map(asLabel);
  const values = [
    mode === 'enforce' ? 'protect' : 'monitor',
    ...resource,
    isRaw ? '' : record.operation,
    named.accepted,
    named.mutated,
    isRaw ? '' : named.origin,
    named.code ?? '',
  ];
  observe(cellsOf(into, values.join(' ')), LATENCY_BOUNDS, durationMs);
}

export function mergeNamed(total: NamedAnswers, delta: NamedAnswers): void {
  for (const [key, cells] of delta) addCells(cellsOf(total, key), cells);
}

function cellsOf(into: NamedAnswers, key: string): HistogramCells {
  const known = into.get(key);
  if (known !== undefined) return known;
  const room = into.size < MAX_SERIES ? key : withoutNames(key);
  const cells = into.get(room) ?? createHistogramCells(LATENCY_BOUNDS);
  into.set(room, cells);
  return cells;
}

function withoutNames(key: string): string {
  const [mode = '', kind = '', , ...rest] = key.split(' ');
  return [mode, kind === '' ? '' : OTHER, kind === '' ? '' : OTHER, ...rest].join(' ');
}

function asLabel(name: string): string {
  return name.slice(0, MAX_NAME).replaceAll(' ', '_');
}
