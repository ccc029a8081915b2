import type { KeyReference, ModuleReference, Policy, PolicyOrigin } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isException, readDocument, type PolicyDocument } from '../parse-policies.ts';
import { POLICY_API_VERSION } from '../document/policy-document-schema.ts';
import { programsOf } from '../programs-of.ts';
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
 * The policy, group or exception that an object is. Faults as of {@link readDocument}, and PC_POLICY_VALUE for one that names
 * a file of the server, or that has a namespace and reaches for code outside of it: who may write a policy in one namespace may
 * not read another's Secrets by it.
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
  const namespace = resource.namespaced ? (object.metadata.namespace ?? '') : undefined;
  for (const program of programsOf(document)) {
    const problem = foreignCode(program, namespace);
    if (problem !== undefined) return new Fault('PC_POLICY_VALUE', `${location}: ${problem}`);
  }
  return namespace === undefined ? document : enclose(document, namespace);
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

function foreignCode({ spec }: Policy, namespace: string | undefined): string | undefined {
  const { file, configMap, secret } = spec.module;
  // As for all documents that are no files: the server must not open paths of somebody's choice.
  if (file !== undefined)
    return 'an object cannot name a file of the server: put the module into a ConfigMap';
  if (namespace === undefined) return undefined;
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
