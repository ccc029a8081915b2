import type { Policy } from '@portcullis/contract';
import { sha256 } from '../../kernel/digest.ts';
import { Fault } from '../../kernel/fault.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { describePolicy } from '../../policy/describe-policy.ts';

/** Strong entity tag of a policy's document. */
export function policyTag(policy: Policy): string {
  return `"${sha256(stringifyExact(describePolicy(policy))).slice(0, 32)}"`;
}

/** PC_PRECONDITION when `if-match` or `if-none-match: *` does not hold for what is there. */
export function checkPrecondition({ headers }: Request, policy: Policy | undefined): Fault | undefined {
  const ifMatch = headers.get('if-match');
  if (ifMatch !== null && !matches(ifMatch, policy)) {
    return new Fault('PC_PRECONDITION', 'the policy is not the one that `if-match` names');
  }
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== null && matches(ifNoneMatch, policy)) {
    return new Fault('PC_PRECONDITION', 'there is already a policy that `if-none-match` excludes');
  }
  return undefined;
}

function matches(header: string, policy: Policy | undefined): boolean {
  if (policy === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim());
  return tags.includes('*') || tags.includes(policyTag(policy));
}
