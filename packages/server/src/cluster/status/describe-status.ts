import type { ExceptionStatus, JsonObject, PolicyStatus } from '@portcullis/contract';

/** What is written into an object is kept by the API server for everybody: so many faults, of so many characters, and no more. */
const MAX_FAULTS = 5;
const MAX_TEXT = 1024;

interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** The status of a policy or group as its object has it, `lastTransitionTime`s aside. */
export function describePolicyStatus(status: PolicyStatus, generation: number): JsonObject {
  const { problem, engine, digest, moduleBytes, warnings, lastFaults } = status;
  const inForce = status.state !== 'refused' || status.lastGood;
  const conditions: Condition[] = [
    problem === undefined
      ? { type: 'Loaded', status: 'True', reason: 'Loaded', message: 'the newest document is loaded' }
      : { type: 'Loaded', status: 'False', reason: problem.code, message: short(problem.message) },
    serving(status, inForce),
  ];
  return {
    observedGeneration: generation,
    conditions: conditions.map((condition) => ({ ...condition, observedGeneration: generation })),
    ...(engine === undefined ? {} : { engine }),
    ...(digest === undefined ? {} : { digest }),
    ...(moduleBytes === undefined ? {} : { moduleBytes }),
    ...(warnings.length === 0 ? {} : { warnings: warnings.map(short) }),
    ...(lastFaults.length === 0
      ? {}
      : {
          lastFaults: lastFaults.slice(0, MAX_FAULTS).map(({ time, code, message }) => ({
            time: isoSeconds(time),
            code,
            message: short(message),
          })),
        }),
  };
}

function serving({ state, lastGood, standsIn }: PolicyStatus, inForce: boolean): Condition {
  const type = 'Serving';
  if (state === 'disabled') {
    return { type, status: 'False', reason: 'Disabled', message: '`spec.enabled` is false' };
  }
  if (standsIn) {
    const message = 'nothing of it was ever loaded: its failure policy decides';
    return { type, status: 'False', reason: 'FailurePolicy', message };
  }
  if (!inForce) {
    return {
      type,
      status: 'False',
      reason: 'NeverLoaded',
      message: 'no document of this name was ever good',
    };
  }
  return lastGood
    ? { type, status: 'True', reason: 'LastGood', message: 'an older document stays in force' }
    : { type, status: 'True', reason: 'Newest', message: 'requests are judged by it' };
}

/** The same of an exception. */
export function describeExceptionStatus(status: ExceptionStatus, generation: number): JsonObject {
  const { state, problem } = status;
  const condition: Condition =
    problem !== undefined
      ? {
          type: 'Active',
          status: state === 'active' ? 'True' : 'False',
          reason: problem.code,
          message: short(problem.message),
        }
      : state === 'active'
        ? {
            type: 'Active',
            status: 'True',
            reason: 'Active',
            message: 'its policies do not deny what it matches',
          }
        : {
            type: 'Active',
            status: 'False',
            reason: 'Expired',
            message: 'its time is over: its policies deny again',
          };
  return { observedGeneration: generation, conditions: [{ ...condition, observedGeneration: generation }] };
}

/** The wanted status with the times of conditions that have not changed, and `now` for those that have. */
export function withTransitionTimes(wanted: JsonObject, current: unknown, now: number): JsonObject {
  const known = conditionsOf(current);
  const conditions = (wanted['conditions'] as readonly JsonObject[]).map((condition) => {
    const { lastTransitionTime } =
      known.find(({ type, status }) => type === condition['type'] && status === condition['status']) ?? {};
    return {
      ...condition,
      lastTransitionTime: typeof lastTransitionTime === 'string' ? lastTransitionTime : isoSeconds(now),
    };
  });
  return { ...wanted, conditions };
}

function conditionsOf(status: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof status !== 'object' || status === null || !('conditions' in status)) return [];
  return Array.isArray(status.conditions) ? (status.conditions as Readonly<Record<string, unknown>>[]) : [];
}

/** As Kubernetes writes times. */
function isoSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

function short(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
