import type { UserInfo, Verdict } from '@portcullis/contract';
import type { GateResponse } from '../../src/gates/gate.ts';

export const NO_REMARKS = { warnings: [], auditAnnotations: {} };
export const abstain = { outcome: 'abstain', ...NO_REMARKS } as const satisfies Verdict;
export const fault = {
  outcome: 'fault',
  code: 'PC_WASM_TRAP',
  message: 'call to authn failed: unreachable',
} as const satisfies Verdict;

export function knows(
  username: string,
  audiences?: readonly string[],
  user: Partial<UserInfo> = {},
): Verdict {
  return {
    outcome: 'allow',
    ...NO_REMARKS,
    user: { username, groups: [], extra: {}, ...user },
    ...(audiences === undefined ? {} : { audiences }),
  };
}

export function tokenReview(token: string, audiences?: readonly string[], version = 'v1'): unknown {
  return {
    kind: 'TokenReview',
    apiVersion: `authentication.k8s.io/${version}`,
    metadata: { creationTimestamp: null },
    spec: { token, ...(audiences === undefined ? {} : { audiences }) },
    status: { user: {} },
  };
}

export interface TokenAnswer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly status: {
    readonly authenticated: boolean;
    readonly user?: { readonly username: string };
    readonly audiences?: readonly string[];
    readonly error?: string;
  };
}

export function answerOf({ body }: GateResponse): TokenAnswer {
  return JSON.parse(body) as TokenAnswer;
}
