import type { KubeObject } from './kube-object.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** The server ended the watch in order. */
export interface WatchEnd {
  readonly events: number;
}
