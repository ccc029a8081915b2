import { Fault, isFault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import { isRecord } from '../../kube/kube-object.ts';
import type { KubeResource } from '../../kube/resource.ts';
import { createAnswerCache } from '../answer-cache.ts';

/** Which resource a kind is: PC_CAPABILITY_INPUT for one that the cluster does not have, else the client's faults. */
export interface KindLookup {
  find(apiVersion: string, kind: string): Promise<KubeResource | Fault>;
}

/** Kinds hardly ever change; a definition that is new is found after this. */
const TTL = 30_000;
const MAX_GROUPS = 256;
const TIMEOUT = 10_000;
/** Goes into a path. */
const API_VERSION = /^(?:([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)\/)?(v[a-z0-9]+)$/;

type Kinds = ReadonlyMap<string, KubeResource>;

export function createKindLookup(client: Pick<KubeClient, 'raw'>, clock: Clock): KindLookup {
  const groups = createAnswerCache<Kinds>({ clock, ttl: TTL, max: MAX_GROUPS });
  return {
    async find(apiVersion, kind) {
      const [, group = '', version] = API_VERSION.exec(apiVersion) ?? [];
      if (version === undefined) {
        return new Fault('PC_CAPABILITY_INPUT', `\`${apiVersion}\` is no API version`);
      }
      const kinds = await groups.get(apiVersion, () => readKinds(client, group, version));
      if (isFault(kinds)) return kinds;
      return (
        kinds.get(kind) ??
        new Fault('PC_CAPABILITY_INPUT', `the cluster has no kind \`${kind}\` in \`${apiVersion}\``)
      );
    },
  };
}

async function readKinds(
  client: Pick<KubeClient, 'raw'>,
  group: string,
  version: string,
): Promise<Kinds | Fault> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const answer = await client.raw(path, { timeout: TIMEOUT });
  if (isFault(answer)) return answer;
  if (answer.status === 404) return new Map();
  const resources = answer.status === 200 ? readResources(answer.text) : undefined;
  if (resources === undefined) {
    return new Fault('PC_KUBE_ANSWER', `\`${path}\` of the API server tells no resources (${answer.status})`);
  }
  const kinds = new Map<string, KubeResource>();
  for (const entry of resources) {
    if (!isRecord(entry)) continue;
    const { name, kind, namespaced } = entry;
    if (typeof name !== 'string' || typeof kind !== 'string' || typeof namespaced !== 'boolean') continue;
    // Subresources have the kind of something else.
    if (name.includes('/')) continue;
    kinds.set(kind, { group, version, plural: name, kind, namespaced });
  }
  return kinds;
}

function readResources(text: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    const resources = isRecord(list) ? list['resources'] : undefined;
    return Array.isArray(resources) ? resources : undefined;
  } catch {
    return undefined;
  }
}
