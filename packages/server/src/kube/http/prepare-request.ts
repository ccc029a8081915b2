import { isFault, type Fault } from '../../kernel/fault.ts';
import type {
  DeleteOptions,
  ListOptions,
  PatchOptions,
  RequestOptions,
  SelectOptions,
  WatchOptions,
} from '../kube-request.ts';
import { kubePath, resourceName, type KubeTarget } from '../resource.ts';
import type { Sending } from './transport.ts';

const METHODS = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
} as const;

export interface Preparation extends RequestOptions {
  readonly query?: Query;
  readonly body?: object | undefined;
  readonly contentType?: string;
  /** Default: everything but `create`. */
  readonly idempotent?: boolean;
  readonly attempts?: number;
}

/** Undefined values are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

const TIMEOUT = 30_000;
const ATTEMPTS = 4;

export function prepareRequest(
  verb: keyof typeof METHODS,
  target: KubeTarget,
  preparation: Preparation,
): Sending | Fault {
  const path = kubePath(target);
  if (isFault(path)) return path;
  const { body, contentType, signal, timeout = TIMEOUT, query = {} } = preparation;
  return {
    method: METHODS[verb],
    path: path + searchOf(query),
    what: `cannot ${verb} ${nameOf(target)}`,
    signal,
    timeout,
    idempotent: preparation.idempotent ?? verb !== 'create',
    attempts: preparation.attempts ?? ATTEMPTS,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

/** GET of any path of the server. */
export function prepareRaw(path: string, { signal, timeout = TIMEOUT }: RequestOptions): Sending {
  if (!path.startsWith('/')) throw new TypeError('a path starts with a slash');
  const what = `cannot get \`${path.replace(/\?.*/s, '')}\``;
  return { method: 'GET', path, what, signal, timeout, idempotent: true, attempts: ATTEMPTS };
}

export function listQuery(options: ListOptions): Query {
  const { limit, continue: next, resourceVersion, resourceVersionMatch } = options;
  return { ...selectQuery(options), limit, continue: next, resourceVersion, resourceVersionMatch };
}

export function watchQuery(options: WatchOptions): Query {
  const { resourceVersion, sendInitialEvents, timeoutSeconds } = options;
  return {
    ...selectQuery(options),
    watch: true,
    allowWatchBookmarks: true,
    timeoutSeconds,
    resourceVersion,
    ...(sendInitialEvents === true ? { sendInitialEvents, resourceVersionMatch: 'NotOlderThan' } : {}),
  };
}

export function writeQuery({ fieldManager, fieldValidation, dryRun, force }: PatchOptions): Query {
  return { fieldManager, fieldValidation, force, ...(dryRun === true ? { dryRun: 'All' } : {}) };
}

export function deleteBody(options: DeleteOptions): object {
  const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, dryRun } = options;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid, resourceVersion },
    propagationPolicy,
    gracePeriodSeconds,
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
}

function selectQuery({ labelSelector, fieldSelector }: SelectOptions): Query {
  return { labelSelector, fieldSelector };
}

function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? '' : `?${search.toString()}`;
}

/** For people: `pods` or `pods` `team/web`. */
function nameOf({ resource, namespace, name }: KubeTarget): string {
  const kind = `\`${resourceName(resource)}\``;
  if (name === undefined) return kind;
  return `${kind} \`${namespace === undefined ? name : `${namespace}/${name}`}\``;
}
