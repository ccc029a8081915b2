import { allowedReview, serveReview } from './serve-review.ts';

/** Parses and answers, without any policy: what the rest of the machine costs. */
serveReview((body) => {
  const { request } = JSON.parse(body.toString()) as { request: { uid: string } };
  return allowedReview(request.uid, true);
});
