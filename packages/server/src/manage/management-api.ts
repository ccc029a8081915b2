import { Hono, type Context } from 'hono';
import { Fault, isFault } from '../kernel/fault.ts';
import type { Clock, Logger } from '../kernel/ports.ts';
import { createGuard } from './access/guard.ts';
import type { TokenOwner, TokenStore } from './access/token-store.ts';
import type { ControlPlane } from './control-plane.ts';
import { decisionRoutes } from './decision-routes.ts';
import { exceptionRoutes } from './exception-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { createChanges } from './http/changes.ts';
import { faultResponse } from './http/responses.ts';
import type { Route } from './http/route.ts';
import { describeApi, type OpenApiDocument } from './openapi/describe-api.ts';
import { pluginRoutes } from './plugins/plugin-routes.ts';
import { policyRoutes } from './policies/policy-routes.ts';
import { serverRoutes } from './server-routes.ts';

export interface ManagementApiOptions {
  readonly control: ControlPlane;
  readonly tokens: TokenStore;
  readonly version: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** Serve `/metrics` without a token. */
  readonly metricsOpen: boolean;
  readonly limits?: ManagementLimits;
}

/** Bytes of a body. */
export interface ManagementLimits {
  /** Policy documents; inline modules count. */
  readonly document: number;
  /** Registrations of plugins, which carry a module. */
  readonly module: number;
}

export interface ManagementApi {
  /** In the manner of fetch. Never rejects. */
  fetch(request: Request, info: { readonly remoteAddress: string }): Promise<Response>;
  readonly openApi: OpenApiDocument;
}

export const MANAGEMENT_LIMITS: ManagementLimits = { document: 1024 ** 2, module: 32 * 1024 ** 2 };

/** The management API: routes, who may use them, and one form for everything that goes wrong. */
export function createManagementApi(options: ManagementApiOptions): ManagementApi {
  const { control, log, version, metricsOpen, limits = MANAGEMENT_LIMITS } = options;
  const guard = createGuard(options.tokens, options.clock);
  const changes = createChanges(control);
  let document: OpenApiDocument | undefined;
  // Made when it is first wanted: it takes longer than everything else here.
  const openApi = (): OpenApiDocument => (document ??= describeApi(routes, { version, metricsOpen }));
  const routes: readonly Route[] = [
    ...policyRoutes({ control, changes, maxBytes: limits.document }),
    ...exceptionRoutes(control),
    ...decisionRoutes(control),
    ...serverRoutes(control, openApi),
    ...healthRoutes(control),
    ...pluginRoutes({ control, changes, maxBytes: limits.module }),
  ];

  function admit({ access }: Route, request: Request, address: string): TokenOwner | Fault | undefined {
    if (access === 'open' || (access === 'metrics' && metricsOpen)) return undefined;
    return guard(request, address, access === 'metrics' ? 'viewer' : access);
  }

  async function answer(route: Route, context: ApiContext): Promise<Response> {
    const request = context.req.raw;
    const owner = admit(route, request, context.env.remoteAddress);
    if (isFault(owner)) return faultResponse(owner, route.faults);
    try {
      const name = context.req.param('name') ?? '';
      const call = { request, url: new URL(request.url), name, token: owner?.name ?? '' };
      const result = await route.handle(call);
      return isFault(result) ? faultResponse(result, route.faults) : result;
    } catch (error) {
      const fault = Fault.from(error);
      log.log('error', 'a management request failed', {
        code: fault.code,
        operation: route.operationId,
        reason: fault.message,
      });
      return faultResponse(fault, route.faults);
    }
  }

  const app = new Hono<ApiEnvironment>();
  for (const route of routes) app.on(route.method, honoPath(route.path), (context) => answer(route, context));
  for (const path of new Set(routes.map((route) => route.path))) {
    const allow = allowOf(routes.filter((route) => route.path === path));
    app.all(honoPath(path), ({ req }) => otherMethod(req.method, allow, path));
  }
  app.notFound(({ req }) =>
    faultResponse(new Fault('PC_NOT_FOUND', `there is no path \`${short(req.path)}\``), 'problem'),
  );
  app.onError((error) => faultResponse(Fault.from(error), 'problem'));

  return {
    get openApi() {
      return openApi();
    },
    async fetch(request, info) {
      const response = await app.fetch(request, info);
      response.headers.set('cache-control', 'no-store');
      response.headers.set('x-content-type-options', 'nosniff');
      return response;
    },
  };
}

interface ApiEnvironment {
  Bindings: { remoteAddress: string };
}

type ApiContext = Context<ApiEnvironment>;

function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function allowOf(routes: readonly Route[]): string {
  const methods = routes.map(({ method }) => method);
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function otherMethod(method: string, allow: string, path: string): Response {
  if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } });
  const fault = new Fault('PC_METHOD', `\`${path}\` does not take ${short(method)}`, { data: { allow } });
  return faultResponse(fault, path.startsWith('/plugins') ? 'reference' : 'problem');
}

function short(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
