import type { JsonObject, Policy } from '@portcullis/contract';
import { describePolicy } from '../../policy/describe-policy.ts';

/**
 * The document of a policy as an answer shows it. The bytes of an inline module, which may be megabytes, give way to a note unless
 * they are wanted. The note is no base64, so that a document with it is refused when it is sent back instead of losing its module.
 */
export function showPolicy(policy: Policy, withModule: boolean): JsonObject {
  const { inline } = policy.spec.module;
  if (inline === undefined || withModule) return describePolicy(policy);
  const note = `(${Buffer.byteLength(inline, 'base64')} bytes, read with ?module=true)`;
  return describePolicy({
    ...policy,
    spec: { ...policy.spec, module: { ...policy.spec.module, inline: note } },
  });
}
