import { Fault, isFault } from '../kernel/fault.ts';
import { isJsonObject } from '../kernel/json/json-equal.ts';
import { parseJson } from '../kernel/json/parse-json.ts';

/** What the host does for guests. Implementations stand behind this; whether a policy may ask is decided before. */
export interface HostCapabilities {
  /** Never rejects, and is there by the deadline. Faults: PC_CAPABILITY_…; their message reaches the guest. */
  call(request: CapabilityRequest): Promise<Uint8Array | Fault>;
  /** Hears of what a guest was refused before anybody was asked; undefined stands for a capability that there is not. */
  refused?(capability: CapabilityName | undefined): void;
}

export interface CapabilityRequest {
  /** `namespace/operation`, one of {@link CAPABILITIES}. */
  readonly capability: CapabilityName;
  /** JSON as the guest wrote it, a copy. Its answer is JSON too. */
  readonly payload: Uint8Array;
  /** Name of the policy that asks. */
  readonly policy: string;
  /** On the axis of `Clock.now()`: nobody waits for the answer any longer. */
  readonly deadline: number;
}

/** Everything that a policy may be granted. */
export const CAPABILITIES = [
  'kubernetes/get_resource',
  'kubernetes/list_resources_by_namespace',
  'kubernetes/list_resources_all',
  'kubernetes/can_i',
  'kubernetes/inventory',
  'oci/v1/verify',
  'oci/v2/verify',
  'oci/v1/manifest_digest',
  'oci/v1/oci_manifest',
  'oci/v1/oci_manifest_config',
  'net/v1/dns_lookup_host',
  'crypto/v1/is_certificate_trusted',
] as const;

export type CapabilityName = (typeof CAPABILITIES)[number];

/** All objects of some kinds, which policies in Rego see as data. */
export const INVENTORY = 'kubernetes/inventory' satisfies CapabilityName;

const READS_OBJECTS: ReadonlySet<CapabilityName> = new Set<CapabilityName>([
  'kubernetes/get_resource',
  'kubernetes/list_resources_by_namespace',
  'kubernetes/list_resources_all',
]);

/** A kind of cluster objects that a policy may read, as `apiVersion` and `kind` spell it in the objects. */
export interface ReadableKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What one policy may ask; everything else is denied. */
export interface Grants {
  readonly capabilities: ReadonlySet<CapabilityName>;
  /** Reading objects of a cluster needs the capability and the kind. */
  readonly kinds: readonly ReadableKind[];
}

/**
 * What the patterns of a policy document stand for: `*`, `oci/*`, `oci/v2/*`, or one by name. A pattern that stands for nothing is a
 * mistake that would show in the middle of an evaluation only.
 */
export function parseGrants(spec: {
  readonly capabilities: readonly string[];
  readonly contextAwareResources?: readonly ReadableKind[];
}): Grants | Fault {
  const capabilities = new Set<CapabilityName>();
  for (const pattern of spec.capabilities) {
    const matching = CAPABILITIES.filter((name) => isMatch(pattern, name));
    if (matching.length === 0) {
      return new Fault(
        'PC_CAPABILITY_PATTERN',
        `\`spec.capabilities\`: \`${pattern}\` stands for no capability; there are ${CAPABILITIES.join(', ')}, and a last segment \`*\``,
      );
    }
    for (const name of matching) capabilities.add(name);
  }
  return { capabilities, kinds: spec.contextAwareResources ?? [] };
}

function isMatch(pattern: string, name: string): boolean {
  if (pattern === '*' || pattern === name) return true;
  return pattern.endsWith('/*') && name.startsWith(pattern.slice(0, -1));
}

export interface CapabilityCall extends Omit<CapabilityRequest, 'capability'> {
  /** As the guest spells it. */
  readonly capability: string;
}

/** The one way from a guest to the host: unknown, not granted and unavailable ones end here. */
export async function callCapability(
  capabilities: HostCapabilities | undefined,
  grants: Grants,
  call: CapabilityCall,
): Promise<Uint8Array | Fault> {
  const { capability } = call;
  // Not asked by guests but for them: see askInventory.
  if (!isCapability(capability) || capability === INVENTORY) {
    capabilities?.refused?.(undefined);
    return new Fault('PC_CAPABILITY_UNKNOWN', `unknown host capability: \`${capability}\``);
  }
  const refused = checkGrant(grants, capability, call.payload);
  if (refused !== undefined) {
    capabilities?.refused?.(capability);
    return refused;
  }
  if (capabilities === undefined) {
    return new Fault(
      'PC_CAPABILITY_UNAVAILABLE',
      `this server does not offer the host capability \`${capability}\``,
    );
  }
  return capabilities.call({ ...call, capability });
}

function checkGrant(grants: Grants, capability: CapabilityName, payload: Uint8Array): Fault | undefined {
  if (!grants.capabilities.has(capability))
    return denied(`the '${capability}' host capability`, { capability });
  if (!READS_OBJECTS.has(capability)) return undefined;
  const asked = parseJson(payload);
  if (isFault(asked)) return unreadable(capability, `not JSON: ${asked.message}`);
  const { api_version: apiVersion, kind } = isJsonObject(asked) ? asked : {};
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return unreadable(capability, 'it needs `api_version` and `kind`, two strings');
  }
  const isGranted = grants.kinds.some((one) => one.apiVersion === apiVersion && one.kind === kind);
  return isGranted ? undefined : denied(`Kubernetes ${apiVersion}/${kind} resources`, { capability });
}

/** Worded as policy authors know it. */
function denied(what: string, data: { readonly capability: string }): Fault {
  const text = `Policy has not been granted access to ${what}. The violation has been reported.`;
  return new Fault('PC_CAPABILITY_DENIED', text, { data });
}

function unreadable(capability: string, why: string): Fault {
  return new Fault('PC_CAPABILITY_INPUT', `the request for \`${capability}\` cannot be read: ${why}`);
}

function isCapability(name: string): name is CapabilityName {
  return (CAPABILITIES as readonly string[]).includes(name);
}
