import { Fault } from '../kernel/fault.ts';
import type { Logger } from '../kernel/ports.ts';
import type { Readiness } from '../manage/control-plane.ts';
import type { Config } from './config/config.ts';
import { createManagementListener, type FetchHandler } from './http/management-listener.ts';

/** Where Kubewarden's controller has a policy-server probed. */
export interface Probe {
  /** Does nothing when no port is configured. PC_LISTEN. */
  listen(): Promise<Fault | undefined>;
  close(timeout: number): Promise<void>;
}

export function createProbe({ kubewarden, serving }: Config, readiness: () => Readiness, log: Logger): Probe {
  const { readinessPort: port } = kubewarden;
  if (port === undefined) return { listen: async () => undefined, close: async () => undefined };
  const listener = createManagementListener({
    handler: probeHandler(readiness),
    failed: (error) => log.log('debug', 'a probe broke off', { reason: String(error) }),
  });
  return {
    async listen() {
      try {
        log.log('info', 'probes are answered', { port: await listener.listen({ host: serving.host, port }) });
        return undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return new Fault('PC_LISTEN', `cannot listen on ${serving.host}:${port}: ${reason}`, {
          cause: error,
        });
      }
    },
    close: (timeout) => listener.close(timeout),
  };
}

/** `/readiness` is what it says, where the policy-server says yes from the start; `/healthz`: the process answers. */
export function probeHandler(readiness: () => Readiness): FetchHandler {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== '/readiness' && pathname !== '/healthz')
      return new Response('not found\n', { status: 404 });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response('only GET\n', { status: 405, headers: { allow: 'GET, HEAD' } });
    }
    const { ready, checks } = pathname === '/healthz' ? { ready: true, checks: [] } : readiness();
    const reasons = checks
      .filter(({ ok }) => !ok)
      .map(({ name, message = 'failed' }) => `${name}: ${message}\n`);
    return new Response(ready ? 'ok\n' : reasons.join(''), { status: ready ? 200 : 503 });
  };
}
