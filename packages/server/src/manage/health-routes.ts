import type { ControlPlane, Readiness } from './control-plane.ts';
import { jsonResponse, textResponse } from './http/responses.ts';
import type { Content, Route } from './http/route.ts';
import { pluginHealthSchema, readinessSchema } from './openapi/schemas.ts';
import { isPlugin } from './plugins/plugin-routes.ts';

type Health = Pick<Route, 'method' | 'access' | 'faults' | 'failures'>;

const HEALTH: Health = { method: 'GET', access: 'open', faults: 'problem', failures: [] };
const PLUGIN_HEALTH: Content = { 'application/json': pluginHealthSchema, 'text/plain': 'text' };
const READINESS: Content = { 'application/json': readinessSchema, 'text/plain': 'text' };

/** Liveness and readiness: ours, and under the names and with the shapes of the plugin reference. */
export function healthRoutes(control: ControlPlane): readonly Route[] {
  const pluginsLoaded = (): number => control.policies().filter(isPlugin).length;
  const health: Route['handle'] = ({ request }) =>
    wantsText(request)
      ? textResponse('ok\n')
      : jsonResponse({ status: 'healthy', plugins_loaded: pluginsLoaded() });
  const alive = { 200: { description: 'the process answers', content: PLUGIN_HEALTH } };

  return [
    { ...HEALTH, path: '/healthz', operationId: 'healthz', summary: 'Alive', answers: alive, handle: health },
    {
      ...HEALTH,
      path: '/health',
      operationId: 'pluginHealth',
      summary: 'Alive, as in the plugin reference',
      answers: alive,
      handle: health,
    },
    {
      ...HEALTH,
      path: '/readyz',
      operationId: 'readyz',
      summary: 'Policies are loaded, certificates are valid, gates listen',
      answers: {
        200: { description: 'ready', content: READINESS },
        503: { description: 'not ready, with the reasons', content: READINESS },
      },
      handle({ request }) {
        const { ready, checks } = control.readiness();
        const status = ready ? 200 : 503;
        if (wantsText(request)) return textResponse(readinessText({ ready, checks }), status);
        return jsonResponse({ status: ready ? 'ready' : 'not ready', checks }, status);
      },
    },
    {
      ...HEALTH,
      path: '/ready',
      operationId: 'pluginReady',
      summary: 'Ready, in the form of the plugin reference; no plugin at all is ready',
      answers: {
        200: { description: 'ready', content: { 'application/json': pluginHealthSchema } },
        503: { description: 'not ready', content: { 'application/json': pluginHealthSchema } },
      },
      handle() {
        const { ready, checks } = control.readiness();
        const reasons = checks
          .filter(({ ok }) => !ok)
          .map(({ name, message = 'failed' }) => `${name}: ${message}`);
        const status = ready ? 'ready' : `not ready: ${reasons.join('; ')}`;
        return jsonResponse({ status, plugins_loaded: pluginsLoaded() }, ready ? 200 : 503);
      },
    },
  ];
}

/** As the API server of Kubernetes writes it. */
function readinessText({ ready, checks }: Readiness): string {
  const lines = checks.map(({ name, ok, message = 'failed' }) =>
    ok ? `[+] ${name} ok` : `[-] ${name}: ${message}`,
  );
  return `${[...lines, ready ? 'ready' : 'not ready'].join('\n')}\n`;
}

function wantsText({ headers }: Request): boolean {
  const accept = headers.get('accept') ?? '';
  return accept.includes('text/plain') && !accept.includes('application/json');
}
