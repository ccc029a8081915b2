import type { KeyReference, ModuleReference, Policy, PolicyOrigin } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isException, readDocument, type PolicyDocument } from '../parse-policies.ts';
import { POLICY_API_VERSION } from '../document/policy-document-schema.ts';
import type { CustomResource } from './custom-resources.ts';

/** What all objects of the Kubernetes API have. */
export interface CustomObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

/** Kubernetes keeps no version and description in `metadata`: they stand in these annotations. */
const VERSION = 'portcullis.dev/version';
const DESCRIPTION = 'portcullis.dev/description';
/** What `kubectl apply` keeps for itself: the whole document once more. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The name that a custom resource's policy has in a policy set. */
export function policyNameOf({ namespaced }: CustomResource, { metadata }: CustomObject): string {
  return namespaced ? `${metadata.namespace ?? ''}/${metadata.name}` : metadata.name;
}

/**
 * The policy, group or exception that an object is. Faults as of {@link readDocument}, and PC_POLICY_VALUE for a namespaced one
 * that reaches for code outside of its namespace: who may write a policy in one namespace may not read another's Secrets by it.
 */
export function parseCustomResource(resource: CustomResource, object: CustomObject): PolicyDocument | Fault {
  const name = policyNameOf(resource, object);
  const location = `${resource.kind}/${name}`;
  const value = {
    apiVersion: POLICY_API_VERSION,
    kind: resource.document,
    metadata: metadataOf(object),
    spec: object.spec ?? {},
  };
  const origin: PolicyOrigin = { source: 'crd', location };
  const place = { location, positionOf: () => undefined };
  const document = readDocument(resource.document, value, place, origin);
  if (isFault(document) || isException(document)) return document;
  return resource.namespaced
    ? withinNamespace(document, object.metadata.namespace ?? '')
    : onlyOwnFiles(document);
}

function metadataOf({ metadata }: CustomObject): Record<string, unknown> {
  const { [VERSION]: version, [DESCRIPTION]: description, ...rest } = metadata.annotations ?? {};
  const annotations = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== LAST_APPLIED));
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations,
    ...(version === undefined ? {} : { version }),
    ...(description === undefined ? {} : { description }),
  };
}

/** Relative paths start from a document's folder, and an object has none. */
function onlyOwnFiles(policy: Policy): Policy | Fault {
  for (const { spec, metadata } of programsOf(policy)) {
    const { file } = spec.module;
    if (file === undefined || file.startsWith('/')) continue;
    return refuse(
      policy,
      `the path \`${file}\` of \`${metadata.name}\` is relative: write it from the root of the server's container`,
    );
  }
  return policy;
}

function withinNamespace(policy: Policy, namespace: string): Policy | Fault {
  for (const { spec } of programsOf(policy)) {
    const problem = foreignCode(spec.module, namespace);
    if (problem !== undefined) return refuse(policy, problem);
  }
  return enclose(policy, namespace);
}

function foreignCode({ file, configMap, secret }: ModuleReference, namespace: string): string | undefined {
  if (file !== undefined)
    return 'a namespaced policy cannot name a file of the server: put the module into a ConfigMap';
  const other = [configMap, secret].find(
    (key) => key?.namespace !== undefined && key.namespace !== namespace,
  );
  return other === undefined
    ? undefined
    : `a namespaced policy takes its module from its own namespace, not from \`${other.namespace ?? ''}\``;
}

function enclose(policy: Policy, namespace: string): Policy {
  const { metadata, spec, group } = policy;
  const own = (key: KeyReference | undefined, place: 'configMap' | 'secret'): ModuleReference =>
    key === undefined ? {} : { [place]: { ...key, namespace } };
  return {
    ...policy,
    metadata: { ...metadata, name: `${namespace}/${metadata.name}`, namespace },
    spec: {
      ...spec,
      module: {
        ...spec.module,
        ...own(spec.module.configMap, 'configMap'),
        ...own(spec.module.secret, 'secret'),
      },
    },
    ...(group === undefined
      ? {}
      : {
          group: {
            ...group,
            members: Object.fromEntries(
              Object.entries(group.members).map(([name, member]) => [name, enclose(member, namespace)]),
            ),
          },
        }),
  };
}

function programsOf(policy: Policy): readonly Policy[] {
  return policy.group === undefined ? [policy] : Object.values(policy.group.members);
}

function refuse({ origin }: Policy, text: string): Fault {
  return new Fault('PC_POLICY_VALUE', `${origin.location}: ${text}`);
}
