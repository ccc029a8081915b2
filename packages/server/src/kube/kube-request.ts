/** Options of every call. */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call, retries included; default 30 000. A list may take four times as long. */
  readonly timeout?: number | undefined;
}

export interface SelectOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends RequestOptions, SelectOptions {
  /** Objects per page. */
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  /** `0`: whatever the server has in its cache. Absent: the newest. */
  readonly resourceVersion?: string | undefined;
  /** With a limit a version means exactly that one, unless this says otherwise. */
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact' | undefined;
}

/** Metadata of one page. */
export interface ListEnd {
  /** Opaque; where a watch goes on. */
  readonly resourceVersion: string;
  /** Of the next page; absent on the last one. */
  readonly continue?: string;
  /** Objects in this page. */
  readonly items: number;
}

export interface WatchOptions extends SelectOptions {
  readonly signal?: AbortSignal | undefined;
  readonly resourceVersion?: string | undefined;
  /** The server first sends all objects as ADDED, then a BOOKMARK annotated `k8s.io/initial-events-end`. */
  readonly sendInitialEvents?: boolean | undefined;
  /** After so many seconds the server ends the watch. */
  readonly timeoutSeconds: number;
  /** Milliseconds without a byte after which the connection counts as dead; asked again each time that it runs out. */
  readonly silence: () => number;
  /** The server has agreed to the watch. */
  readonly onOpen?: (() => void) | undefined;
}

export interface WriteOptions extends RequestOptions {
  /** Required for `apply`. */
  readonly fieldManager?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** What the server does about fields that its schema does not know; its default is `Warn`. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
}

export interface PatchOptions extends WriteOptions {
  /** Takes fields that other managers own; only for `apply`. */
  readonly force?: boolean | undefined;
}

export interface DeleteOptions extends RequestOptions {
  /** Preconditions: the object must be this one. */
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

export type KubePatch =
  | { readonly type: 'merge' | 'strategic' | 'apply'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly object[] };
