import type { JsonValue, Phase } from '@portcullis/contract';
import { isJsonArray, isJsonObject } from '../../kernel/json/json-equal.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { Endpoint } from '../registration/registration-options.ts';

export interface LiveRule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

export interface LiveRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** One webhook as an API server has it, of whoever made it. */
export interface LiveWebhook {
  readonly phase: Phase;
  readonly configuration: string;
  readonly managedBy: string | undefined;
  readonly name: string;
  /** Undefined when the webhook names neither. */
  readonly endpoint: Endpoint | undefined;
  /** `/` when there is none. */
  readonly path: string;
  /** PEM. */
  readonly caBundle: string | undefined;
  readonly rules: readonly LiveRule[];
  /** All of them must hold. */
  readonly namespaceRequirements: readonly LiveRequirement[];
  readonly objectRequirements: readonly LiveRequirement[];
  readonly conditions: readonly { readonly name: string; readonly expression: string }[];
  readonly failurePolicy: string;
  readonly timeoutSeconds: number;
}

/** Reads what an API server answers; fields that it always fills in may be missing in hand-made objects. */
export function liveWebhooks(configuration: KubeObject): LiveWebhook[] {
  const phase = configuration.kind === 'MutatingWebhookConfiguration' ? 'mutate' : 'validate';
  const webhooks = configuration['webhooks'] as JsonValue | undefined;
  return list(webhooks).map((webhook): LiveWebhook => {
    const config = field(webhook, 'clientConfig');
    const bundle = field(config, 'caBundle');
    const conditions = list(field(webhook, 'matchConditions'));
    const seconds = field(webhook, 'timeoutSeconds');
    return {
      phase,
      configuration: configuration.metadata.name,
      managedBy: configuration.metadata.labels?.['app.kubernetes.io/managed-by'],
      name: text(field(webhook, 'name')),
      ...placeOf(config),
      caBundle: typeof bundle === 'string' ? Buffer.from(bundle, 'base64').toString('utf8') : undefined,
      rules: list(field(webhook, 'rules')).map(ruleOf),
      namespaceRequirements: requirements(field(webhook, 'namespaceSelector')),
      objectRequirements: requirements(field(webhook, 'objectSelector')),
      conditions: conditions.map((condition) => ({
        name: text(field(condition, 'name')),
        expression: text(field(condition, 'expression')),
      })),
      failurePolicy: text(field(webhook, 'failurePolicy')) || 'Fail',
      timeoutSeconds: typeof seconds === 'number' ? seconds : 10,
    };
  });
}

/** The user whose requests a condition of the registration leaves out; undefined for any other condition. */
export function excludedUser(expression: string): string | undefined {
  return /^request\.userInfo\.username != "([^"\\]+)"$/.exec(expression)?.[1];
}

function placeOf(config: JsonValue | undefined): Pick<LiveWebhook, 'endpoint' | 'path'> {
  const url = URL.parse(text(field(config, 'url')));
  if (url !== null) return { endpoint: { url: url.origin }, path: url.pathname };
  const service = field(config, 'service');
  if (service === undefined) return { endpoint: undefined, path: '/' };
  const port = field(service, 'port');
  return {
    endpoint: {
      service: {
        name: text(field(service, 'name')),
        namespace: text(field(service, 'namespace')),
        port: typeof port === 'number' ? port : 443,
      },
    },
    path: text(field(service, 'path')) || '/',
  };
}

function ruleOf(rule: JsonValue): LiveRule {
  return {
    operations: texts(field(rule, 'operations')),
    apiGroups: texts(field(rule, 'apiGroups')),
    apiVersions: texts(field(rule, 'apiVersions')),
    resources: texts(field(rule, 'resources')),
    scope: text(field(rule, 'scope')) || '*',
  };
}

/** `matchLabels` are requirements too. */
function requirements(selector: JsonValue | undefined): LiveRequirement[] {
  const labels = field(selector, 'matchLabels');
  return [
    ...Object.entries(isJsonObject(labels) ? labels : {}).map(([key, value]) => ({
      key,
      operator: 'In',
      values: [text(value)],
    })),
    ...list(field(selector, 'matchExpressions')).map((one) => ({
      key: text(field(one, 'key')),
      operator: text(field(one, 'operator')),
      values: texts(field(one, 'values')),
    })),
  ];
}

function field(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return isJsonArray(value) ? value : [];
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: JsonValue | undefined): string[] {
  return list(value).filter((item) => typeof item === 'string');
}
