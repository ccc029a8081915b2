import type { DecisionRecord, GateName } from '@portcullis/contract';
import type { FaultCode } from '../../kernel/fault.ts';
import {
  addCells,
  createHistogramCells,
  DURATION_BOUNDS,
  FUEL_BOUNDS,
  observe,
  type HistogramCells,
} from './histogram.ts';
import { mergeCalls, type Calls } from './calls.ts';
import { countNamed, mergeNamed, type NamedAnswers } from './named-answers.ts';

/**
 * Everything that is counted about reviews: on a gate thread since its last report, on the control thread since the start.
 * Structured-cloneable. The keys of tallies are label values with a space between them; all but those of `named` are from closed sets.
 */
export interface Accumulation {
  /** gate, phase, operation, outcome. */
  readonly decisions: Tally;
  /** Seconds, by gate and phase. */
  readonly durations: Map<string, HistogramCells>;
  /** gate, fault code. */
  readonly refused: Tally;
  readonly policies: Map<string, PolicyCells>;
  /** By capability. */
  readonly hostCalls: Calls;
}

export type Tally = Map<string, number>;

export interface PolicyCells {
  /** outcome, mode. */
  readonly evaluations: Tally;
  /** Seconds. */
  readonly durations: HistogramCells;
  readonly fuel: HistogramCells;
  /** By fault code. */
  readonly faults: Tally;
  /** On the paths of Kubewarden's policy-server. */
  readonly named: NamedAnswers;
  /** The most that one evaluation used. */
  memoryBytes: number;
  /** Fields that it did not return and that stayed. */
  keptFields: number;
}

export function createAccumulation(): Accumulation {
  return {
    decisions: new Map(),
    durations: new Map(),
    refused: new Map(),
    policies: new Map(),
    hostCalls: new Map(),
  };
}

export function countDecision(into: Accumulation, record: DecisionRecord): void {
  const { gate, phase, operation, outcome } = record;
  add(into.decisions, `${gate} ${phase} ${operation} ${outcome}`, 1);
  observe(durationsOf(into, `${gate} ${phase}`), DURATION_BOUNDS, record.durationMs / 1000);
  for (const contribution of record.contributions) {
    const cells = policyCells(into, contribution.policy);
    add(cells.evaluations, `${contribution.outcome} ${contribution.mode}`, 1);
    observe(cells.durations, DURATION_BOUNDS, contribution.durationMs / 1000);
    observe(cells.fuel, FUEL_BOUNDS, contribution.fuel);
    if (contribution.memoryBytes > cells.memoryBytes) cells.memoryBytes = contribution.memoryBytes;
    cells.keptFields += contribution.keptFields ?? 0;
    if (record.named !== undefined) countNamed(cells.named, record.named, record, contribution);
    if (contribution.fault !== undefined) add(cells.faults, contribution.fault, 1);
  }
}

export function countRefusal(into: Accumulation, gate: GateName, code: FaultCode): void {
  add(into.refused, `${gate} ${code}`, 1);
}

export function mergeAccumulation(total: Accumulation, delta: Accumulation): void {
  addTally(total.decisions, delta.decisions);
  addTally(total.refused, delta.refused);
  mergeCalls(total.hostCalls, delta.hostCalls);
  for (const [key, cells] of delta.durations) addCells(durationsOf(total, key), cells);
  for (const [policy, cells] of delta.policies) {
    const known = policyCells(total, policy);
    addTally(known.evaluations, cells.evaluations);
    addTally(known.faults, cells.faults);
    mergeNamed(known.named, cells.named);
    addCells(known.durations, cells.durations);
    addCells(known.fuel, cells.fuel);
    known.memoryBytes = Math.max(known.memoryBytes, cells.memoryBytes);
    known.keptFields += cells.keptFields;
  }
}

export function isEmpty({ decisions, refused, hostCalls }: Accumulation): boolean {
  return decisions.size === 0 && refused.size === 0 && hostCalls.size === 0;
}

function policyCells(into: Accumulation, policy: string): PolicyCells {
  let cells = into.policies.get(policy);
  if (cells === undefined) {
    cells = {
      evaluations: new Map(),
      durations: createHistogramCells(DURATION_BOUNDS),
      fuel: createHistogramCells(FUEL_BOUNDS),
      faults: new Map(),
      named: new Map(),
      memoryBytes: 0,
      keptFields: 0,
    };
    into.policies.set(policy, cells);
  }
  return cells;
}

function durationsOf(into: Accumulation, key: string): HistogramCells {
  let cells = into.durations.get(key);
  if (cells === undefined) {
    cells = createHistogramCells(DURATION_BOUNDS);
    into.durations.set(key, cells);
  }
  return cells;
}

function add(tally: Tally, key: string, count: number): void {
  tally.set(key, (tally.get(key) ?? 0) + count);
}

function addTally(total: Tally, delta: Tally): void {
  for (const [key, count] of delta) add(total, key, count);
}
