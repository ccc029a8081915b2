/** What one check found. */
export interface Finding {
  readonly severity: 'ok' | 'warning' | 'error';
  /** Name of the check; stable, for scripts. */
  readonly check: Check;
  readonly message: string;
  /** What to do; absent when there is nothing to do. */
  readonly fix?: string;
}

export type Check =
  | 'kill-switch'
  | 'registration'
  | 'coverage'
  | 'webhooks'
  | 'endpoint'
  | 'certificate'
  | 'readiness'
  | 'definitions'
  | 'permissions'
  | 'exemptions'
  | 'policies';

export function ok(check: Check, message: string): Finding {
  return { severity: 'ok', check, message };
}

export function warning(check: Check, message: string, fix: string): Finding {
  return { severity: 'warning', check, message, fix };
}

export function error(check: Check, message: string, fix: string): Finding {
  return { severity: 'error', check, message, fix };
}
