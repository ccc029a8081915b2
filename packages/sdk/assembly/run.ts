import { Answer } from './answer';
import { Review } from './review';

/** Runs a policy; its result is the result of the exported `validate`. Input that cannot be read is a denial. */
export function run(policy: (review: Review, answer: Answer) => void): i32 {
  const review = Review.read();
  const answer = new Answer();
  if (review.problem.length > 0) {
    answer.deny('Plugin error: Failed to parse input: ' + review.problem, 'PluginError');
  } else {
    policy(review, answer);
  }
  return answer.send();
}
