import type { Readiness } from '../../manage/control-plane.ts';
import type { ThreadPoolState } from '../threads/thread-pool.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { CertificateKeeper } from '../tls/certificate-keeper.ts';

export interface ReadinessInput {
  readonly draining: boolean;
  /** Newest revision built; 0 before the first. */
  readonly built: number;
  readonly threads: ThreadPoolState;
  readonly certificates: readonly CertificateKeeper[];
  /** What is followed in a Kubernetes API server; undefined without one. */
  readonly cluster: ReadonlyMap<string, ReflectorState> | undefined;
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
    ...Array.from(input.cluster ?? [], ([name, state]) =>
      check(`kubernetes ${name}`, isKnown(state), state.problem?.message ?? 'not listed yet'),
    ),
    ...input.certificates.map((certificate) =>
      check(`certificate ${certificate.name}`, certificate.notAfter() > input.now, 'it has expired'),
    ),
  ];
  return { ready: checks.every(({ ok }) => ok), checks };
}

function check(name: string, ok: boolean, message: string): Readiness['checks'][number] {
  return ok ? { name, ok } : { name, ok, message };
}

/** After the first list the last good state serves, however old; a kind that the API server does not have has no objects. */
function isKnown({ synced, problem }: ReflectorState): boolean {
  return synced || problem?.code === 'PC_KUBE_NOT_FOUND';
}
