import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { at } from './kubernetes-objects.ts';
import type { Portcullis } from './portcullis.ts';

/** A token of the management API that may look at everything. */
export interface ViewerToken {
  readonly token: string;
  /** For `management.tokensFile`. */
  readonly file: string;
}

export async function writeViewerToken(file: string): Promise<ViewerToken> {
  const token = randomBytes(16).toString('hex');
  const sha256 = createHash('sha256').update(token).digest('hex');
  await writeFile(file, JSON.stringify([{ name: 'e2e', role: 'viewer', sha256 }]), { mode: 0o600 });
  return { token, file };
}

/** A policy as the management API lists it. */
export interface ListedPolicy {
  readonly name: string;
  readonly status: {
    readonly state: 'loaded' | 'refused' | 'disabled';
    readonly lastGood: boolean;
    readonly problem?: { readonly code: string; readonly message: string };
    readonly warnings: readonly string[];
    readonly origin: string;
    readonly digest?: string;
  };
}

/** What one replica tells about itself. */
export interface ReplicaView {
  policies(): Promise<readonly ListedPolicy[]>;
  /** The document that is in force; undefined without one. */
  policy(name: string): Promise<unknown>;
  /** Value of the sample with this name and, at least, these labels; undefined without one. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined>;
  /** `kubernetes` of `/api/v1/status`. */
  kubernetes(): Promise<unknown>;
}

export function viewReplica({ managementUrl }: Portcullis, { token }: ViewerToken): ReplicaView {
  const get = async (path: string): Promise<Response> => {
    const answer = await fetch(managementUrl + path, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  return {
    async policies() {
      return at(await (await get('/api/v1/policies')).json(), 'items') as readonly ListedPolicy[];
    },
    async policy(name) {
      return at(await (await get(`/api/v1/policies/${encodeURIComponent(name)}`)).json(), 'policy');
    },
    async metric(name, labels = {}) {
      const parts = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      for (const line of (await (await get('/metrics')).text()).split('\n')) {
        const [, found, given = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
        if (found === name && parts.every((part) => given.split(',').includes(part))) return Number(value);
      }
      return undefined;
    },
    async kubernetes() {
      return at(await (await get('/api/v1/status')).json(), 'kubernetes');
    },
  };
}
