import type { Verdict } from '@portcullis/contract';
import type { GateResponse } from '../../src/gates/gate.ts';

const NO_REMARKS = { warnings: [], auditAnnotations: {} };
export const broken: Verdict = {
  outcome: 'fault',
  code: 'PC_WASM_TRAP',
  message: 'call to authz failed: unreachable',
};

export function permit(message?: string, error?: string): Verdict {
  return { outcome: 'allow', ...told(message, error) };
}

export function refuse(message = 'denied by policy', error?: string): Verdict {
  return { outcome: 'deny', causes: [], ...told(message, error), message };
}

export function noOpinion(message?: string, error?: string): Verdict {
  return { outcome: 'abstain', ...told(message, error) };
}

function told(message: string | undefined, error: string | undefined) {
  return {
    ...NO_REMARKS,
    ...(message === undefined ? {} : { message }),
    ...(error === undefined ? {} : { error }),
  };
}

export const LIST_PODS = {
  user: 'ana',
  uid: '7',
  groups: ['desk', 'system:authenticated'],
  extra: { 'example.org/floor': ['2'] },
  resourceAttributes: { namespace: 'ledger', verb: 'list', version: 'v1', resource: 'pods' },
};
export const GET_LOGS = { user: 'ana', nonResourceAttributes: { path: '/logs/today', verb: 'get' } };

export function accessReview(spec: unknown = LIST_PODS, version = 'v1'): unknown {
  return {
    kind: 'SubjectAccessReview',
    apiVersion: `authorization.k8s.io/${version}`,
    metadata: { creationTimestamp: null },
    spec,
    status: { allowed: false },
  };
}

export interface AccessAnswer {
  readonly kind: string;
  readonly status: {
    readonly allowed: boolean;
    readonly denied?: boolean;
    readonly reason?: string;
    readonly evaluationError?: string;
  };
}

export function answerOf({ body }: GateResponse): AccessAnswer {
  return JSON.parse(body) as AccessAnswer;
}
