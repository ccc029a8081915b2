import type { ChangeCounts } from './change-lanes.ts';
import type { LoadCounts } from './excused-load.ts';

/** Bytes that a replica has in memory. */
export interface MemoryChange {
  readonly replica: string;
  /** When every fault had happened once. */
  readonly early: number;
  readonly late: number;
}

export interface SoakReport {
  readonly seed: number;
  readonly minutes: number;
  /** How often each fault was injected. */
  readonly faults: Readonly<Record<string, number>>;
  readonly api: LoadCounts;
  readonly reviews: LoadCounts;
  readonly changes: ChangeCounts;
  readonly memory: readonly MemoryChange[];
}

/** Of what a replica had in memory. */
const MEMORY_BOUND = 0.1;

/** What must not be; empty when the soak is passed. */
export function soakProblems({ api, reviews, changes, memory }: SoakReport): readonly string[] {
  return [
    ...api.failures.map((text) => `a pod through the API server: ${text}`),
    ...reviews.failures.map((text) => `a review: ${text}`),
    ...changes.lost.map((text) => `a change: ${text}`),
    ...(changes.delays.length === 0 ? ['no change came in force'] : []),
    ...memory
      .filter(({ early, late }) => late > early * (1 + MEMORY_BOUND))
      .map(({ replica, early, late }) => `${replica} grew from ${mebibytes(early)} to ${mebibytes(late)}`),
  ];
}

/** For a terminal and for Markdown. */
export function soakTable(report: SoakReport): string {
  const { seed, minutes, faults, api, reviews, changes, memory } = report;
  const sorted = changes.delays.toSorted((one, other) => one - other);
  const quantile = (part: number): string =>
    seconds(sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN);
  const load = ({ requests, injected, failed }: LoadCounts): string =>
    `${requests}; ${injected} failed by an injected fault, ${failed} for another reason`;
  const rows: readonly (readonly [string, string])[] = [
    ['length, seed', `${minutes.toFixed(1)} min, ${seed}`],
    ['pods created through the API server', load(api)],
    ['reviews by the balancer', load(reviews)],
    ['changes in force on every replica', `${sorted.length}; ${changes.lost.length} lost`],
    [
      'from a change to its enforcement',
      `median ${quantile(0.5)}, p90 ${quantile(0.9)}, worst ${quantile(1)}`,
    ],
    ...memory.map(({ replica, early, late }): readonly [string, string] => [
      `memory of ${replica}`,
      `${mebibytes(early)} → ${mebibytes(late)} (${percent(late / early - 1)})`,
    ]),
    ...Object.entries(faults).map(([name, count]): readonly [string, string] => [name, `× ${count}`]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, text]) => `| ${name.padEnd(width)} | ${text} |`);
  return [`| ${'soak'.padEnd(width)} | figure |`, `| ${'-'.repeat(width)} | ------ |`, ...lines, ''].join(
    '\n',
  );
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
const seconds = (millis: number): string => `${(millis / 1000).toFixed(2)} s`;
const percent = (part: number): string => `${part < 0 ? '' : '+'}${(part * 100).toFixed(1)} %`;
