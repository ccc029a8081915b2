import type { JsonObject } from '@portcullis/contract';

/** How API servers reach the admission gate. */
export type Endpoint =
  | { /** https, without query; paths are appended. */ readonly url: string }
  | { readonly service: { readonly name: string; readonly namespace: string; readonly port?: number } };

export interface RegistrationOptions {
  readonly endpoint: Endpoint;
  /** Name of both configurations; default `portcullis`. Servers that share a cluster need different ones. */
  readonly name?: string;
  /** PEM of the authority of the gate's certificate; absent: the API server's system trust. */
  readonly caBundle?: string;
  /** The server's own namespace. */
  readonly ownNamespace?: string;
  /** Namespaces whose objects are never judged, besides the own one; default: `kube-system`. */
  readonly exemptNamespaces?: readonly string[];
  /** User whose requests are never judged: `system:serviceaccount:<namespace>:<name>` of the server itself. */
  readonly ownUser?: string;
  /** For static manifests, which can guard webhook and admission policy objects too. */
  readonly isStatic?: boolean;
  /** The longest that an API server waits, 1 to 30; default 10. */
  readonly maxTimeoutSeconds?: number;
}

/** What the operator must know about one policy. */
export interface RegistrationNote {
  readonly policy: string;
  /** `warning`: the policy does not do what its author thinks. */
  readonly level: 'info' | 'warning';
  readonly text: string;
}

/** The webhook configurations that the policies need; absent: none of that kind is needed. */
export interface Registration {
  readonly validating?: JsonObject;
  readonly mutating?: JsonObject;
  readonly notes: readonly RegistrationNote[];
}

export function registrationName({ name }: Pick<RegistrationOptions, 'name'>): string {
  return name ?? 'portcullis';
}

export function exemptNamespacesOf({
  exemptNamespaces = ['kube-system'],
  ownNamespace,
}: Pick<RegistrationOptions, 'exemptNamespaces' | 'ownNamespace'>): readonly string[] {
  return [...new Set(ownNamespace === undefined ? exemptNamespaces : [...exemptNamespaces, ownNamespace])];
}
