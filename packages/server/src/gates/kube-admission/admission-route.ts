import type { Phase } from '@portcullis/contract';

export interface AdmissionRoute {
  readonly phase: Phase;
  /** Only this policy. */
  readonly policy?: string;
}

/** `/admission/<phase>` or `/<phase>`, the second for drop-in use, and the name of one policy behind either form. */
const ROUTE = /^(?:\/admission)?\/(validate|mutate)(?:\/([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?))?$/;

/** Undefined for a path that is not this gate's. `/validate/{name}` without the prefix belongs to another dialect. */
export function admissionRoute(path: string): AdmissionRoute | undefined {
  const match = ROUTE.exec(path);
  if (match === null) return undefined;
  const phase = match[1] as Phase;
  const policy = match[2];
  if (policy === undefined) return { phase };
  return path.startsWith('/admission/') ? { phase, policy } : undefined;
}
