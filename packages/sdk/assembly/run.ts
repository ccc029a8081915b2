import { Answer } from './answer';
import { Kind } from './json';
import { Review } from './review';

/**
 * Runs a policy; its result is the result of the exported `validate`. Input that cannot be read, and a CREATE or UPDATE
 * without an object, are denied without asking the policy.
 */
export function run(policy: (review: Review, answer: Answer) => void): i32 {
  const review = Review.read();
  const answer = new Answer();
  if (review.problem.length > 0) {
    answer.deny('Plugin error: Failed to parse input: ' + review.problem, 'PluginError');
  } else if (review.isWrite && review.object.kind != Kind.Object) {
    answer.deny('No object provided', 'InvalidInput');
  } else {
    policy(review, answer);
  }
  return answer.send();
}
