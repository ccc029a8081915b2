import type { Operation } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { ControlPlane, PolicyView } from '../control-plane.ts';
import type { Changes } from '../http/changes.ts';
import { faultResponse, jsonResponse } from '../http/responses.ts';
import type { Call, Route } from '../http/route.ts';
import {
  NAMED_SCHEMAS,
  pluginCreatedSchema,
  pluginListSchema,
  pluginRemovedSchema,
} from '../openapi/schemas.ts';
import { readRegistration, uploadQuerySchema, WASM_MEDIA_TYPE } from './read-registration.ts';

export interface PluginRoutesOptions {
  readonly control: ControlPlane;
  readonly changes: Changes;
  /** Bytes of one registration with its module. */
  readonly maxBytes: number;
}

const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];
/** Registered plugins run after policies that say nothing of their order, ten apart. */
const FIRST_ORDER = 1000;
const ORDER_STEP = 10;

/** The paths of the plugin reference, with its shapes. */
export function pluginRoutes({ control, changes, maxBytes }: PluginRoutesOptions): readonly Route[] {
  const plugins = (): readonly PolicyView[] => control.policies().filter(isPlugin).sort(byOrder);

  /** A plugin that is registered again moves to the end. */
  function nextOrder(): number {
    const orders = plugins().map(({ policy }) => policy?.spec.order ?? 0);
    const next = Math.max(FIRST_ORDER, ...orders.map((order) => order + ORDER_STEP));
    // A document with a larger one could not be read again.
    return Math.min(next, Number.MAX_SAFE_INTEGER);
  }

  async function register({ request, token }: Call): Promise<Response | Fault> {
    const policy = await readRegistration(request, { limit: maxBytes, order: FIRST_ORDER });
    if (isFault(policy))
      return policy.code === 'PC_POLICY_BASE64' ? faultResponse(policy, 'reference', 400) : policy;
    const { name } = policy.metadata;
    return changes.make({ action: 'policy.put', name, token }, async () => {
      const placed = { ...policy, spec: { ...policy.spec, order: nextOrder() } };
      const result = await control.put(placed);
      return isFault(result) ? result : jsonResponse({ status: 'created' }, 201);
    });
  }

  async function remove({ name, token }: Call): Promise<Response | Fault> {
    return changes.make({ action: 'policy.delete', name, token }, async () => {
      const view = control.policy(name);
      if (view === undefined || !isPlugin(view)) {
        return new Fault('PC_NOT_FOUND', `there is no plugin \`${name}\``);
      }
      return (await control.remove(name)) ?? jsonResponse({ status: 'removed' });
    });
  }

  return [
    {
      method: 'GET',
      path: '/plugins',
      operationId: 'listPlugins',
      summary: 'Policies of the plugin engine that are in force',
      access: 'viewer',
      faults: 'reference',
      answers: {
        200: { description: 'in order of registration', content: { 'application/json': pluginListSchema } },
      },
      failures: [],
      handle: () => jsonResponse({ plugins: plugins().map(describePlugin) }),
    },
    {
      method: 'POST',
      path: '/plugins',
      operationId: 'registerPlugin',
      summary: 'Register a plugin as JSON, or upload a module and describe it in the query',
      access: 'editor',
      faults: 'reference',
      query: uploadQuerySchema,
      body: { 'application/json': NAMED_SCHEMAS['Plugin'] ?? 'text', [WASM_MEDIA_TYPE]: 'binary' },
      answers: { 201: { description: 'in force', content: { 'application/json': pluginCreatedSchema } } },
      failures: [400, 409, 413, 415, 422, 503],
      handle: register,
    },
    {
      method: 'DELETE',
      path: '/plugins/{name}',
      operationId: 'removePlugin',
      summary: 'Remove a plugin that came through this API',
      access: 'editor',
      faults: 'reference',
      answers: {
        200: { description: 'no longer in force', content: { 'application/json': pluginRemovedSchema } },
      },
      failures: [404, 409, 503],
      handle: remove,
    },
  ];
}

/** In force, and run by the plugin engine. */
export function isPlugin({ policy, status }: PolicyView): boolean {
  return policy !== undefined && (status.engine ?? policy.spec.engine) === 'plugin';
}

function byOrder(a: PolicyView, b: PolicyView): number {
  return (a.policy?.spec.order ?? 0) - (b.policy?.spec.order ?? 0) || (a.name < b.name ? -1 : 1);
}

function describePlugin({ name, policy }: PolicyView): object {
  const operations = policy?.spec.match.operations ?? [];
  return {
    name,
    version: policy?.metadata.version ?? '',
    description: policy?.metadata.description ?? null,
    operations: operations.length === 0 ? OPERATIONS : operations,
    enabled: policy?.spec.enabled ?? false,
  };
}
