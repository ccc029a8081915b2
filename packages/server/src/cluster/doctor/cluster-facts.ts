import type { JsonObject, Policy } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { Registration, RegistrationOptions } from '../registration/registration-options.ts';
import type { LiveWebhook } from './live-webhook.ts';

/** Everything that the checks look at, gathered before: they ask nobody. A fault stands for what could not be seen. */
export interface ClusterFacts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly options: RegistrationOptions;
  /** Those that are in force. */
  readonly policies: readonly Policy[];
  /** What the policies need. */
  readonly expected: Registration;
  /** All of the cluster, whoever made them. */
  readonly webhooks: readonly LiveWebhook[] | Fault;
  readonly isSwitchedOff: boolean | Fault;
  readonly probes: readonly EndpointProbe[];
  /** Absent when nobody said where the management API is. */
  readonly readiness?: ReadinessProbe;
  readonly definitions: readonly DefinitionFacts[];
  readonly permissions: readonly PermissionAnswer[];
}

/** One attempt to reach the gate as an API server would, for each authority that webhooks name. */
export interface EndpointProbe {
  /** For people. */
  readonly endpoint: string;
  /** Webhooks that call it with this authority; empty when none is registered yet. */
  readonly webhooks: readonly string[];
  readonly outcome: EndpointOutcome | Fault;
}

export interface EndpointOutcome {
  /** The name that the certificate must have. */
  readonly name: string;
  /** Code of why the chain is not trusted (`CERT_HAS_EXPIRED`, `UNABLE_TO_VERIFY_LEAF_SIGNATURE`, …). */
  readonly chainProblem: string | undefined;
  readonly hasName: boolean;
  /** Names in the certificate, for people. */
  readonly names: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** HTTP status of a request without a body to each path. */
  readonly paths: readonly { readonly path: string; readonly status: number | Fault }[];
}

export interface ReadinessProbe {
  readonly url: string;
  readonly status: number | Fault;
}

/** One CustomResourceDefinition as it should be, and as it is. */
export interface DefinitionFacts {
  readonly wanted: JsonObject;
  readonly live: KubeObject | Fault;
}

export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** What does not work without it. */
  readonly purpose: string;
}

export interface PermissionAnswer {
  readonly permission: Permission;
  readonly allowed: boolean | Fault;
}
