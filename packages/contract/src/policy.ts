import type { JsonValue } from './json.ts';

export type GateName = 'admission' | 'authentication' | 'authorization' | 'resource' | 'runtime';
export type Phase = 'validate' | 'mutate';
/** `enforce`: a denial denies. `warn`: it allows and tells the client. `audit`: it allows and is only recorded. */
export type Mode = 'enforce' | 'warn' | 'audit';
/** What a fault of the policy means: `Fail` denies, `Ignore` allows with a warning. A denial is never ignored. */
export type FailurePolicy = 'Fail' | 'Ignore';
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
export type EngineName =
  'plugin' | 'wasi' | 'kubewarden' | 'opa' | 'gatekeeper' | 'rego' | 'typescript' | 'http' | 'image';

/** A policy after parsing: every default filled in, every quantity in its base unit. */
export interface Policy {
  readonly metadata: PolicyMetadata;
  readonly spec: PolicySpec;
  /** Where the document came from, for people: `policies/a.yaml:12`, `api`, … */
  readonly origin: PolicyOrigin;
  /** Present: the members decide, and `spec` has no code of its own (`module` is empty). */
  readonly group?: PolicyGroup;
  /** Present: only requests that name the policy ask it, whatever it matches; the gate decides what becomes of a change. */
  readonly byName?: ByName;
}

export interface ByName {
  /** False: a change is a denial. */
  readonly mayMutate: boolean;
}

/** Validating policies of which one expression makes one verdict. */
export interface PolicyGroup {
  /** CEL over calls of members: `signed() && (trusted() || !remote())`. */
  readonly expression: string;
  /** By the name that the expression calls them by; each is a whole policy named `<group>/<member>`. */
  readonly members: Readonly<Record<string, Policy>>;
}

export interface PolicyMetadata {
  /** Unique in a policy set: a DNS-1123 subdomain; for a namespaced policy its namespace, `/`, and that. */
  readonly name: string;
  /** The namespace whose objects alone the policy judges; only custom resources have one. */
  readonly namespace?: string;
  readonly version?: string;
  readonly description?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PolicyOrigin {
  /** `file`, `api`, `plugins` (plugins.yaml or POST /plugins), `configmap`, `secret`, `crd`. */
  readonly source: string;
  /** For people: a path, a resource name. */
  readonly location: string;
  /** Folder that relative `module.file` paths start from, when the document came from a file. */
  readonly directory?: string;
  /** 1-based line of the document in its file. */
  readonly line?: number;
}

export interface PolicySpec {
  readonly gate: GateName;
  readonly phase: Phase;
  /** Ascending inside a phase; ties by name. */
  readonly order: number;
  readonly mode: Mode;
  readonly failurePolicy: FailurePolicy;
  readonly match: Match;
  /** Absent: detected from the module. */
  readonly engine?: EngineName;
  readonly module: ModuleReference;
  /** Which rule of a module that was compiled from Rego answers, by name or number; its first entry point when absent. */
  readonly entrypoint?: string;
  /** Reaches the guest; any JSON value, null when the document has none. */
  readonly settings: JsonValue;
  readonly limits: Limits;
  readonly capabilities: readonly string[];
  /** Kinds of cluster objects that the policy may read, for which it needs the capability as well; absent: none. */
  readonly contextAwareResources?: readonly ObjectKind[];
  /** Authentication: globs of the names beginning with `system:` that the policy may give to users; absent: none. */
  readonly systemNames?: readonly string[];
  /** Absent: `protect`, and nothing removable. */
  readonly mutation?: MutationRules;
  /** Replaces the text shown to the client; the policy's own goes to the causes. */
  readonly message?: string;
  /** False: loaded and listed, never asked. */
  readonly enabled: boolean;
}

/** How a complete object that a policy returns is read against the one that it was given. */
export interface MutationRules {
  /** A field that was not returned stays with a warning, makes the answer a fault, or is removed. */
  readonly removals: 'protect' | 'refuse' | 'honour';
  /** JSON pointers, `*` for any one token, of fields that the policy may remove. */
  readonly removable: readonly string[];
}

export interface Match {
  /** Empty: every operation. */
  readonly operations: readonly Operation[];
  /** Empty: every resource, subresources included. */
  readonly resources: readonly ResourceRule[];
  /** Globs; empty: every namespace, and cluster-scoped objects. */
  readonly namespaces: readonly string[];
  readonly excludedNamespaces: readonly string[];
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly conditions: readonly MatchCondition[];
  /** Authorization: `get`, `list`, …; absent: every verb. */
  readonly verbs?: readonly string[];
  /** Authorization: paths, a `*` at their end takes what begins so. With `resources` absent it leaves resources out. */
  readonly nonResourceURLs?: readonly string[];
  /** Authorization: globs of user names; absent: every user. */
  readonly users?: readonly string[];
  /** Authorization: names of groups, one of which the user must be in; absent: any. */
  readonly groups?: readonly string[];
}

/** One rule with the semantics of admissionregistration.k8s.io/v1 `rules`. */
export interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  // `pods`, `pods/exec`, `pods/*`, `*`, `*/scale`, `*/*`: a line comment, since the last ones would end a block.
  readonly resources: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced' | '*';
  /** Empty: every name. */
  readonly resourceNames: readonly string[];
  /** Of those of the match, the ones that this rule is for; absent: all of them. */
  readonly operations?: readonly Operation[];
}

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export interface MatchCondition {
  readonly name: string;
  /** CEL over `object`, `oldObject`, `request`; at the gates of authentication and authorization `request` is the review's spec. */
  readonly expression: string;
}

/** Exactly one of the places, and optionally the digest that its bytes must have. */
export interface ModuleReference {
  readonly file?: string;
  /** Standard padded base64. */
  readonly inline?: string;
  readonly url?: string;
  readonly oci?: string;
  readonly configMap?: KeyReference;
  readonly secret?: KeyReference;
  /** Lower-case hex, without prefix. */
  readonly sha256?: string;
}

export interface KeyReference {
  readonly name: string;
  readonly key: string;
  readonly namespace?: string;
}

/** As objects spell it. */
export interface ObjectKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** All enforced per evaluation. */
export interface Limits {
  /** Milliseconds of wall clock, host calls included. */
  readonly timeoutMs: number;
  /** Bytes of linear memory. */
  readonly memoryBytes: number;
  /** Units of fuel: about one per Wasm instruction. */
  readonly fuel: number;
  /** Bytes of an answer on standard output; 4 MiB when absent. Only of engines whose guests have one. */
  readonly outputBytes?: number;
  /** Evaluations at the same time in one gate thread; absent: as many as are asked for. */
  readonly concurrency?: number;
}
