import { podReview } from '../pod-review.ts';
import { registryPolicy } from './policies.ts';
import { residentBytes } from '../../e2e/support/process-usage.ts';
import type { ReviewClient } from './review-client.ts';

/** One of thousands of policies, each for a namespace of its own. It approves the images of the review, unless it is to deny them. */
export function teamPolicy(index: number, denies = false): object {
  const options = { name: `registry-${index}`, namespaces: [namespaceOf(index)] };
  return registryPolicy(denies ? { ...options, approved: ['elsewhere.example.test'] } : options);
}

/** The review of a pod in the namespace of that policy. */
export function teamReview(index: number): string {
  return podReview()
    .toString()
    .replaceAll('"namespace":"shop"', `"namespace":"${namespaceOf(index)}"`);
}

/** Every policy is asked, so that none is without what its first evaluation makes. */
export async function residentWhenAsked(
  pid: number,
  client: ReviewClient,
  policies: number,
): Promise<number> {
  for (let index = 0; index < policies; index++) {
    const allowed = await client.ask(teamReview(index));
    if (allowed.includes(false)) throw new Error(`the review in \`${namespaceOf(index)}\` was denied`);
  }
  return residentBytes(pid);
}

function namespaceOf(index: number): string {
  return `team-${index}`;
}
