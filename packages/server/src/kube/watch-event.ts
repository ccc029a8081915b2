import { Fault } from '../kernel/fault.ts';
import { serverFault } from './http/server-fault.ts';
import { asKubeObject, isRecord, type KubeObject } from './kube-object.ts';
import { apiVersionOf, type KubeResource } from './resource.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** The server ended the watch in order. */
export interface WatchEnd {
  readonly events: number;
}

/** Marks the end of the initial objects of a watch that sends them (apimachinery: meta/v1/types.go). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** One line of a watch. An ERROR event is the fault that it tells. */
export function parseWatchEvent(line: Buffer, what: string, resource: KubeResource): WatchEvent | Fault {
  const parsed = parseLine(line);
  if (!isRecord(parsed))
    return new Fault('PC_KUBE_ANSWER', `${what}: a line of the watch is not a JSON object`);
  const { type, object } = parsed;
  if (type === 'ERROR') return serverFault(what, { http: 500, status: object, event: true });
  if (type === 'BOOKMARK') return parseBookmark(object, what);
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
    return new Fault('PC_KUBE_ANSWER', `${what}: a line of the watch has an unknown type`);
  }
  const known = asKubeObject(object, { apiVersion: apiVersionOf(resource), kind: resource.kind });
  if (known === undefined)
    return new Fault('PC_KUBE_ANSWER', `${what}: an event of the watch has no named object`);
  return { type, object: known };
}

function parseBookmark(object: unknown, what: string): WatchEvent | Fault {
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  if (!isRecord(metadata) || typeof version !== 'string' || version === '') {
    return new Fault('PC_KUBE_ANSWER', `${what}: a bookmark has no resource version`);
  }
  const { annotations } = metadata;
  const initialEventsEnd = isRecord(annotations) && annotations[INITIAL_EVENTS_END] === 'true';
  return { type: 'BOOKMARK', resourceVersion: version, initialEventsEnd };
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
