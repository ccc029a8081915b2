import type { Phase } from '@portcullis/contract';

export interface GateRoute {
  readonly phase: Phase;
  /** Only this policy. */
  readonly policy?: string;
}

const VALIDATE: GateRoute = { phase: 'validate' };
const MUTATE: GateRoute = { phase: 'mutate' };

const WHOLE_CHAIN: ReadonlyMap<string, GateRoute> = new Map([
  ['/admission/validate', VALIDATE],
  ['/admission/mutate', MUTATE],
  // The paths of the plugin reference.
  ['/validate', VALIDATE],
  ['/mutate', MUTATE],
]);

const ONE_POLICY = /^\/admission\/(validate|mutate)\/([a-z0-9][a-z0-9.-]{0,252})$/;

/** The question that a path of the gates' listener asks. `path` is without query. */
export function findRoute(path: string): GateRoute | undefined {
  const known = WHOLE_CHAIN.get(path);
  if (known !== undefined) return known;
  const match = ONE_POLICY.exec(path);
  if (match === null) return undefined;
  return { phase: match[1] === 'mutate' ? 'mutate' : 'validate', policy: match[2] ?? '' };
}
