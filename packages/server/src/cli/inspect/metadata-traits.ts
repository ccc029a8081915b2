import type { JsonValue } from '@portcullis/contract';
import type { Trait } from '../../engines/engine.ts';
import { isFault } from '../../kernel/fault.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { readCustomSection } from '../../wasm/decode/read-custom-section.ts';
import { METADATA_SECTION, parsePolicyMetadata, type PolicyMetadata } from '../policy/policy-metadata.ts';

/** What a policy made for Kubewarden says of itself; nothing of a module without metadata. */
export function metadataTraits(bytes: Uint8Array): readonly Trait[] {
  const section = readCustomSection(bytes, METADATA_SECTION);
  if (section === undefined) return [];
  const value = isFault(section) ? section : parseJson(section);
  const metadata = isFault(value) ? value : parsePolicyMetadata(value, 'metadata');
  if (isFault(metadata)) {
    return [trait('metadata', isFault(value) ? null : value, `cannot be read: ${metadata.message}`)];
  }
  return [{ name: 'metadata', value: value as JsonValue, lines: linesOf(metadata) }];
}

function linesOf(metadata: PolicyMetadata): readonly string[] {
  const { executionMode, policyType, mutating, rules, contextAwareResources, hostCapabilities } = metadata;
  const title = metadata.annotations?.['io.kubewarden.policy.title'];
  const kinds = contextAwareResources.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
  return [
    ...(title === undefined ? [] : [title]),
    `execution mode ${executionMode}, policy type ${policyType}, ${mutating ? 'changes objects' : 'changes nothing'}`,
    ...rules.map(
      ({ operations, resources, apiGroups, apiVersions }) =>
        `is for ${operations.join(', ')} of ${resources.join(', ')} in ${groups(apiGroups)} ${apiVersions.join(', ')}`,
    ),
    ...(hostCapabilities === undefined ? [] : [`asks for the capabilities ${list(hostCapabilities)}`]),
    ...(kinds.length === 0 ? [] : [`reads ${list(kinds)} of the cluster`]),
  ];
}

function groups(names: readonly string[]): string {
  return names.map((name) => (name === '' ? 'the core group' : name)).join(', ');
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function trait(name: string, value: JsonValue, line: string): Trait {
  return { name, value, lines: [line] };
}
