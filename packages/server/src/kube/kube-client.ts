import type { Fault } from '../kernel/fault.ts';
import type { KubeObject } from './kube-object.ts';
import type {
  DeleteOptions,
  KubePatch,
  ListEnd,
  ListOptions,
  PatchOptions,
  RequestOptions,
  WatchOptions,
  WriteOptions,
} from './kube-request.ts';
import type { KubeTarget } from './resource.ts';
import type { WatchEnd, WatchEvent } from './watch-event.ts';

/** What a path of the server answered. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * A client of one API server. Nothing is thrown for what the server or the network does: every call resolves to a fault then,
 * with the HTTP `status`, the `reason` of the server and, when it named one, `retryAfter` in seconds in its data.
 */
export interface KubeClient {
  /** For messages: the URL without credentials. */
  readonly server: string;
  /** The connection's own. */
  readonly namespace: string;
  get(target: KubeTarget, options?: RequestOptions): Promise<KubeObject | Fault>;
  /** All pages. For small collections; large ones go through `eachItem`. */
  list(target: KubeTarget, options?: ListOptions): Promise<readonly KubeObject[] | Fault>;
  /**
   * One page, object by object as it arrives, so that an answer is never wholly in memory. A fault from `onItem` ends it.
   */
  eachItem(
    target: KubeTarget,
    options: ListOptions,
    onItem: (object: KubeObject) => Fault | undefined,
  ): Promise<ListEnd | Fault>;
  create(target: KubeTarget, object: object, options?: WriteOptions): Promise<KubeObject | Fault>;
  /** PUT. With `metadata.resourceVersion` in the object it fails with PC_KUBE_CONFLICT when somebody was faster. */
  update(target: KubeTarget, object: object, options?: WriteOptions): Promise<KubeObject | Fault>;
  /** `apply` creates what is missing. */
  patch(target: KubeTarget, patch: KubePatch, options?: PatchOptions): Promise<KubeObject | Fault>;
  /** Undefined when it is deleted or being deleted. */
  delete(target: KubeTarget, options?: DeleteOptions): Promise<Fault | undefined>;
  /** Resolves when the watch ends; events come in order, one at a time. A fault from `onEvent` ends it. No retries. */
  watch(
    target: KubeTarget,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => Fault | undefined,
  ): Promise<WatchEnd | Fault>;
  /** GET of any path (`/readyz`, `/version`, `/apis`); every status is an answer, except that 401 is tried again. */
  raw(path: string, options?: RequestOptions): Promise<RawAnswer | Fault>;
  /** Ends all connections. */
  close(): void;
}
