import type { JsonObject, Policy } from '@portcullis/contract';
import { describePolicy } from '../../policy/describe-policy.ts';

/**
 * The document of a policy as an answer shows it. The bytes of an inline module, which may be megabytes, give way to a note unless
 * they are wanted. The note is no base64, so that a document with it is refused when it is sent back instead of losing its module.
 */
export function showPolicy(policy: Policy, withModule: boolean): JsonObject {
  return describePolicy(withModule ? policy : withNotes(policy));
}

function withNotes(policy: Policy): Policy {
  const { spec, group } = policy;
  const { inline } = spec.module;
  if (group !== undefined) {
    const members = Object.entries(group.members).map(([name, member]) => [name, withNotes(member)]);
    return { ...policy, group: { ...group, members: Object.fromEntries(members) } };
  }
  if (inline === undefined) return policy;
  const note = `(${Buffer.byteLength(inline, 'base64')} bytes, read with ?module=true)`;
  return { ...policy, spec: { ...spec, module: { ...spec.module, inline: note } } };
}
