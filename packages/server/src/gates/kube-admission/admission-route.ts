import type { FailurePolicy, Phase } from '@portcullis/contract';

export interface AdmissionRoute {
  readonly phase: Phase;
  /** Only this policy. */
  readonly policy?: string;
  /** Only the policies whose absence means this to a request. */
  readonly failureClass?: FailurePolicy;
}

const NAME = '[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?';
/**
 * `/admission/<phase>` or `/<phase>`, the second for drop-in use; the name of one policy behind it, with its namespace when it
 * has one; or `/admission/fail/<phase>` and `/admission/ignore/<phase>`, one webhook for each thing that our absence can mean.
 */
const ROUTE = new RegExp(
  `^(?:/admission)?(?:/(fail|ignore))?/(validate|mutate)(?:/(${NAME}(?:/${NAME})?))?$`,
);

/** Undefined for a path that is not this gate's. `/validate/{name}` without the prefix belongs to another dialect. */
export function admissionRoute(path: string): AdmissionRoute | undefined {
  const match = ROUTE.exec(path);
  if (match === null) return undefined;
  const [, failure, , policy] = match;
  const phase = match[2] as Phase;
  if (failure === undefined && policy === undefined) return { phase };
  if (!path.startsWith('/admission/') || (failure !== undefined && policy !== undefined)) return undefined;
  if (policy !== undefined) return { phase, policy };
  return { phase, failureClass: failure === 'fail' ? 'Fail' : 'Ignore' };
}
