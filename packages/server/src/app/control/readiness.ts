import type { Readiness } from '../../manage/control-plane.ts';
import type { ThreadPoolState } from '../threads/thread-pool.ts';
import type { CertificateKeeper } from '../tls/certificate-keeper.ts';

export interface ReadinessInput {
  readonly draining: boolean;
  /** Newest revision built; 0 before the first. */
  readonly built: number;
  readonly threads: ThreadPoolState;
  readonly certificates: readonly CertificateKeeper[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whether an API server may be sent here. Broken policies are a matter of their status: the last good set serves. */
export function readinessOf(input: ReadinessInput): Readiness {
  const { threads } = input;
  const checks = [
    check('serving', !input.draining, 'the server is stopping'),
    check('policies', input.built > 0 && threads.revision > 0, 'not every gate thread has a policy set yet'),
    check('threads', threads.alive > 0, 'no gate thread listens'),
    ...input.certificates.map((certificate) =>
      check(`certificate ${certificate.name}`, certificate.notAfter() > input.now, 'it has expired'),
    ),
  ];
  return { ready: checks.every(({ ok }) => ok), checks };
}

function check(name: string, ok: boolean, message: string): Readiness['checks'][number] {
  return ok ? { name, ok } : { name, ok, message };
}
