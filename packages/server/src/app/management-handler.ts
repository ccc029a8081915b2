import type { ControlPlane } from '../manage/control-plane.ts';
import type { Config } from './config/config.ts';
import type { FetchHandler } from './http/management-listener.ts';

export function createManagementHandler(plane: ControlPlane, _config: Config): FetchHandler {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/healthz') return new Response('ok');
    if (pathname === '/readyz') {
      const r = plane.readiness();
      return Response.json(r, { status: r.ready ? 200 : 503 });
    }
    if (pathname === '/metrics') return new Response((await plane.metrics()).text);
    if (pathname === '/api/v1/policies') return Response.json(plane.policies());
    if (pathname === '/api/v1/status') return Response.json(plane.status());
    return new Response(null, { status: 404 });
  };
}
