import type { JsonDocument } from './json.ts';
import type { GateName, Operation } from './policy.ts';

/** One question put to the engine by a gate. Immutable: a mutated object makes a new review. */
export interface Review {
  readonly gate: GateName;
  /** The caller's id of the request; appears in logs and records. */
  readonly uid: string;
  /** Authentication and authorization: CREATE, since reviews are created. */
  readonly operation: Operation;
  /** What the rule matched, after the API server's conversion; of authentication and authorization the review's own. */
  readonly kind: GroupVersionKind;
  /** Authorization: what is asked for; all of it `""` for a path. */
  readonly resource: GroupVersionResource;
  /** `""` when the request is for the resource itself. */
  readonly subresource: string;
  /** `""` when not known yet (generateName). On deletecollection taken from oldObject. */
  readonly name: string;
  /** `""` for cluster scope. A Namespace object carries its own name here, as Kubernetes sends it. */
  readonly namespace: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Authorization: what the user wants to do. */
  readonly verb?: string;
  /** Authorization: what the user wants to do it to, where that is no resource. */
  readonly path?: string;
  readonly object?: JsonDocument;
  readonly oldObject?: JsonDocument;
  /**
   * The document that guests are asked with. Admission: the whole AdmissionRequest, with the object as it is now in the chain.
   * Authentication and authorization: the whole TokenReview or SubjectAccessReview in version v1, with apiVersion and kind.
   */
  readonly request: JsonDocument;
  /** `request`, and `object` with it, is any JSON that somebody wants judged, and nothing that an API server sends. */
  readonly isRaw?: boolean;
  /** The moment, on the clock's monotonic axis (milliseconds), at which the answer is worth nothing any more. */
  readonly deadline: number;
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}
