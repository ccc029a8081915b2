import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import { objectKey } from '../../kube/kube-object.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { KubeResource } from '../../kube/resource.ts';
import { createAnswerCache } from '../answer-cache.ts';
import { optional, provide, type Asking, type Providers } from '../provider.ts';
import { createAccessReviews } from './access-reviews.ts';
import { createFieldMask } from './field-mask.ts';
import { createInventories } from './inventories.ts';
import { keepObject, maskedText, type KeptObject, type NamedMask } from './kept-object.ts';
import { createKindLookup } from './kind-lookup.ts';
import { listText } from './list-text.ts';
import { createObjectWatches } from './object-watches.ts';

export interface KubernetesOptions {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  /** Of the objects that are held for policies. */
  readonly maxBytes: number;
}

/** `kubernetes/*`, behind one API server. */
export interface KubernetesCapabilities {
  readonly providers: Providers;
  /** Of what is followed for policies, by a name for people. */
  states(): ReadonlyMap<string, ReflectorState>;
  stop(): Promise<void>;
}

/** Milliseconds that a single object is good for, as policy authors know it. */
const OBJECT_TTL = 5000;
const MAX_OBJECTS = 1000;
const TIMEOUT = 10_000;
const MAX_SELECTOR = 4096;
const MAX_MASKS = 256;

const text = z.string().min(1).max(MAX_SELECTOR);
const selector = optional(z.string().max(MAX_SELECTOR));
const kind = {
  api_version: text,
  kind: text,
  field_masks: optional(z.array(text).max(MAX_MASKS)),
};
const listInput = z.object({ ...kind, label_selector: selector, field_selector: selector });
const listInNamespace = listInput.extend({ namespace: text });
const getInput = z.object({
  ...kind,
  name: text,
  namespace: optional(z.string().max(MAX_SELECTOR)),
  disable_cache: optional(z.boolean()),
});

type ListInput = z.output<typeof listInput> & { readonly namespace?: string };
type GetInput = z.output<typeof getInput>;

export function createKubernetesCapabilities(options: KubernetesOptions): KubernetesCapabilities {
  const { client, runtime } = options;
  const { clock } = runtime;
  const kinds = createKindLookup(client, clock);
  const watches = createObjectWatches(options);
  const objects = createAnswerCache<KeptObject>(
    { clock, ttl: OBJECT_TTL, max: MAX_OBJECTS },
    ({ bytes }) => bytes,
  );

  async function list(input: ListInput, { deadline, policy }: Asking): Promise<Uint8Array | Fault> {
    const resource = await kinds.find(input.api_version, input.kind);
    if (isFault(resource)) return resource;
    const { namespace } = input;
    if (namespace !== undefined && !resource.namespaced) return hasNoNamespace(resource);
    const fieldSelector = orUndefined(input.field_selector);
    const watch = watches.of(resource, fieldSelector === undefined ? undefined : { fieldSelector, policy });
    if (isFault(watch)) return watch;
    const notReady = await watch.ready(deadline);
    if (notReady !== undefined) return notReady;
    return listText(watch.items(), {
      resource,
      namespace,
      labelSelector: input.label_selector ?? '',
      mask: maskOf(input.field_masks),
    });
  }

  async function get(input: GetInput): Promise<Uint8Array | Fault> {
    const resource = await kinds.find(input.api_version, input.kind);
    if (isFault(resource)) return resource;
    const namespace = orUndefined(input.namespace);
    if (namespace !== undefined && !resource.namespaced) return hasNoNamespace(resource);
    if (namespace === undefined && resource.namespaced) {
      return new Fault('PC_CAPABILITY_INPUT', `a name among ${resource.plural} needs a \`namespace\``);
    }
    const object = await find(resource, { name: input.name, namespace }, input.disable_cache === true);
    return isFault(object) ? object : Buffer.from(maskedText(object, maskOf(input.field_masks)));
  }

  type Name = { readonly name: string; readonly namespace: string | undefined };

  async function find(resource: KubeResource, name: Name, isFresh: boolean): Promise<KeptObject | Fault> {
    if (isFresh) return fetchObject(resource, name);
    // Where all are followed already, nothing has to be asked; what is not there may be too new.
    const known = watches.synced(resource)?.get(objectKey(named(name)));
    if (known !== undefined) return known;
    const { group, version, plural } = resource;
    const key = JSON.stringify([group, version, plural, name.namespace, name.name]);
    return objects.get(key, () => fetchObject(resource, name));
  }

  async function fetchObject(resource: KubeResource, name: Name): Promise<KeptObject | Fault> {
    const object = await client.get({ resource, ...named(name) }, { timeout: TIMEOUT });
    return isFault(object) ? object : keepObject(object);
  }

  return {
    providers: {
      'kubernetes/list_resources_all': provide(listInput, list),
      'kubernetes/list_resources_by_namespace': provide(listInNamespace, list),
      'kubernetes/get_resource': provide(getInput, get),
      'kubernetes/can_i': createAccessReviews(client, clock),
      'kubernetes/inventory': createInventories({ kinds, watches, clock, maxBytes: options.maxBytes }),
    },
    states: () => watches.states(),
    stop: () => watches.stop(),
  };
}

function named({ name, namespace }: { readonly name: string; readonly namespace: string | undefined }) {
  return namespace === undefined ? { name } : { name, namespace };
}

function maskOf(paths: readonly string[] | undefined): NamedMask | undefined {
  if (paths === undefined || paths.length === 0) return undefined;
  return { key: paths.toSorted().join(','), mask: createFieldMask(paths) };
}

/** Guests write an empty text for what is absent. */
function orUndefined(given: string | undefined): string | undefined {
  return given === '' ? undefined : given;
}

function hasNoNamespace({ plural }: KubeResource): Fault {
  return new Fault('PC_CAPABILITY_INPUT', `${plural} have no namespace`);
}
