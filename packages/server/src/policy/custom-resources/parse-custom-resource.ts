import type { PolicyOrigin } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { namespacedName } from '../document/enclose.ts';
import { POLICY_API_VERSION } from '../document/policy-document-schema.ts';
import { isException, readDocument, type PolicyDocument } from '../parse-policies.ts';
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
  return namespaced ? namespacedName(metadata.namespace ?? '', metadata.name) : metadata.name;
}

/**
 * The policy, group or exception that an object is. Faults as of {@link readDocument}, and PC_POLICY_VALUE for one that names
 * a file: as for all documents that are no files, the server must not open paths of somebody's choice.
 */
export function parseCustomResource(resource: CustomResource, object: CustomObject): PolicyDocument | Fault {
  const name = policyNameOf(resource, object);
  const location = `${resource.kind}/${name}`;
  const value = {
    apiVersion: POLICY_API_VERSION,
    kind: resource.kind,
    metadata: metadataOf(resource, object),
    spec: object.spec ?? {},
  };
  const origin: PolicyOrigin = { source: 'crd', location };
  const place = { location, positionOf: () => undefined };
  const document = readDocument(resource.kind, value, place, origin);
  if (isFault(document) || isException(document)) return document;
  if (programsOf(document).every(({ spec }) => spec.module.file === undefined)) return document;
  return new Fault(
    'PC_POLICY_VALUE',
    `${location}: an object cannot name a file of the server: put the module into a ConfigMap`,
  );
}

function metadataOf({ namespaced }: CustomResource, { metadata }: CustomObject): Record<string, unknown> {
  const { [VERSION]: version, [DESCRIPTION]: description, ...rest } = metadata.annotations ?? {};
  const annotations = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== LAST_APPLIED));
  return {
    name: metadata.name,
    ...(namespaced ? { namespace: metadata.namespace ?? '' } : {}),
    labels: metadata.labels ?? {},
    annotations,
    ...(version === undefined ? {} : { version }),
    ...(description === undefined ? {} : { description }),
  };
}
