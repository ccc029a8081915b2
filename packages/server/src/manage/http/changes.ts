import { isFault, type Fault } from '../../kernel/fault.ts';
import type { AuditEntry, ControlPlane } from '../control-plane.ts';

/** Changes of the policies: one after the other, so that what a precondition saw is still so, and each one audited. */
export interface Changes {
  make(change: Change, run: () => Promise<Response | Fault>): Promise<Response | Fault>;
}

export type Change = Omit<AuditEntry, 'result'>;

export function createChanges(control: Pick<ControlPlane, 'audit'>): Changes {
  let last: Promise<unknown> = Promise.resolve();
  return {
    make(change, run) {
      const turn = last.then(run).then(
        (answer) => {
          control.audit({ ...change, result: isFault(answer) ? answer.code : 'ok' });
          return answer;
        },
        (error: unknown) => {
          control.audit({ ...change, result: 'PC_INTERNAL' });
          throw error;
        },
      );
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
