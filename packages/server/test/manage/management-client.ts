import { createToken, createTokenStore } from '../../src/manage/access/token-store.ts';
import {
  createManagementApi,
  type ManagementApi,
  type ManagementApiOptions,
} from '../../src/manage/management-api.ts';
import type { Role } from '../../src/manage/access/roles.ts';
import { createMemoryLog, type MemoryLog } from '../telemetry/memory-log.ts';
import { conformanceOf } from './conformance.ts';
import { createMemoryControlPlane, type MemoryControlPlane } from './memory-control-plane.ts';

export interface Sent {
  readonly as?: Role;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

export interface ManagementClient {
  readonly api: ManagementApi;
  readonly control: MemoryControlPlane;
  readonly log: MemoryLog;
  readonly tokens: Readonly<Record<Role, string>>;
  advance(ms: number): void;
  /** `GET /path`; every answer is held against the OpenAPI document. */
  send(line: string, sent?: Sent): Promise<Response>;
}

/** The real handler before a control plane in memory, with one token per role. */
export function createManagementClient(
  options: Partial<ManagementApiOptions> & { readonly control?: MemoryControlPlane } = {},
): ManagementClient {
  const control = options.control ?? createMemoryControlPlane();
  const made = { viewer: createToken(), editor: createToken(), admin: createToken() };
  const roles: readonly Role[] = ['viewer', 'editor', 'admin'];
  const log = createMemoryLog();
  let now = 0;
  const api = createManagementApi({
    tokens: createTokenStore(roles.map((role) => ({ name: `the-${role}`, role, sha256: made[role].sha256 }))),
    version: '1.2.3',
    clock: { now: () => now },
    log,
    metricsOpen: false,
    ...options,
    control,
  });
  const check = conformanceOf(api.openApi);
  const tokens = {
    viewer: made.viewer.token.reveal(),
    editor: made.editor.token.reveal(),
    admin: made.admin.token.reveal(),
  };
  return {
    api,
    control,
    log,
    tokens,
    advance: (ms) => void (now += ms),
    async send(line, { as, body, headers = {}, address = '127.0.0.1' } = {}) {
      const [method = '', path = ''] = line.split(' ');
      const bearer: Record<string, string> =
        as === undefined ? {} : { authorization: `Bearer ${tokens[as]}` };
      const request = new Request(`http://localhost:8080${path}`, {
        method,
        headers: { ...bearer, ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const response = await api.fetch(request, { remoteAddress: address });
      await check(method, path, response);
      return response;
    },
  };
}
