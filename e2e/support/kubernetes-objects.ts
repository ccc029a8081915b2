/** A Kubernetes object as it is written to JSON. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

export interface Metadata {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface WebhookOptions {
  /** Name of the configuration object. */
  readonly name: string;
  /** Name of its one webhook, at least three segments; default `<name>.portcullis.test`. */
  readonly webhook?: string;
  readonly url: string;
  /** PEM of the authority of the webhook's certificate. */
  readonly caPem: string;
  /** Default: creation and update of pods. */
  readonly rules?: readonly WebhookRule[];
  /** Default Fail, as in Kubernetes. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
  /** Default 10, as in Kubernetes. */
  readonly timeoutSeconds?: number;
  /** Only requests in this namespace; default: in all. */
  readonly namespace?: string;
  /** Any other field of the webhook, such as `objectSelector` or `reinvocationPolicy`. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface WebhookRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly scope?: string;
}

export const PODS: WebhookRule = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['pods'],
};

/** A pod that nothing schedules, so that it deletes at once. `spec` fields are added to the one container's pod. */
export function pod(metadata: Metadata, image = 'registry.test/app:1', spec: object = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', ...metadata },
    spec: { containers: [{ name: 'app', image }], ...spec },
  };
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function configMap(metadata: Metadata, data: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', ...metadata }, data };
}

export function validatingWebhookConfiguration(options: WebhookOptions): KubernetesObject {
  return webhookConfiguration('ValidatingWebhookConfiguration', options);
}

export function mutatingWebhookConfiguration(options: WebhookOptions): KubernetesObject {
  return webhookConfiguration('MutatingWebhookConfiguration', options);
}

function webhookConfiguration(kind: string, options: WebhookOptions): KubernetesObject {
  const webhook = {
    name: options.webhook ?? `${options.name}.portcullis.test`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { url: options.url, caBundle: Buffer.from(options.caPem).toString('base64') },
    rules: options.rules ?? [PODS],
    failurePolicy: options.failurePolicy ?? 'Fail',
    timeoutSeconds: options.timeoutSeconds ?? 10,
    ...(options.namespace === undefined
      ? {}
      : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': options.namespace } } }),
    ...options.fields,
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: options.name },
    webhooks: [webhook],
  };
}

/**
 * The URL path to which an object is posted; with its name appended it is the object's own path.
 * The plural is formed as Kubernetes does for its own kinds.
 */
export function collectionPath(object: KubernetesObject): string {
  const plural = `${object.kind.toLowerCase()}s`
    .replace(/(ss|ch|x)s$/, '$1es')
    .replace(/([^aeiou])ys$/, '$1ies');
  const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const scope = object.metadata.namespace === undefined ? '' : `/namespaces/${object.metadata.namespace}`;
  return `${root}${scope}/${plural}`;
}

/** Reads a nested field of a parsed answer; `undefined` when a step is missing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current: unknown = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Reflect.get(current, step);
  }
  return current;
}
