import type { FaultEntry } from './fault-entry.ts';

/** Requests to a gate. */
export const REVIEW_FAULTS = {
  PC_REVIEW_EMPTY: { meaning: 'the request has no body', advice: 'send one review as JSON' },
  PC_REVIEW_CONTENT_TYPE: {
    meaning: 'the request is not `application/json`',
    advice: 'send the review with `content-type: application/json`',
  },
  PC_REVIEW_SIZE: {
    meaning: 'the request is larger than the limit',
    advice:
      'raise `serving.maxBodyBytes`, unless it is a `TokenReview` or `SubjectAccessReview`, which have 1 MiB at most',
  },
  PC_REVIEW_JSON: {
    meaning: 'the body is not well-formed JSON',
    advice: 'mend the JSON at the named offset',
  },
  PC_REVIEW_ENCODING: {
    meaning: 'the body is not valid UTF-8, or a string holds a lone surrogate',
    advice: 'send valid Unicode',
  },
  PC_REVIEW_DEPTH: { meaning: 'the body is nested too deeply', advice: 'send an object of sane depth' },
  PC_REVIEW_DUPLICATE_KEY: {
    meaning: 'an object of the body has a key twice, which readers understand differently',
    advice: 'remove one of the two keys',
  },
  PC_REVIEW_KIND: {
    meaning: 'the body is not a review of the kind that the path takes',
    advice:
      'send an `AdmissionReview`, to `/authentication` a `TokenReview`, to `/authorization` a `SubjectAccessReview`',
  },
  PC_REVIEW_VERSION: {
    meaning: 'the review has a version that Portcullis does not speak',
    advice: 'configure the API server to send version `v1`, as with `admissionReviewVersions: [v1]`',
  },
  PC_REVIEW_REQUEST: {
    meaning: 'the review has no request, or a field of it is missing or has the wrong type',
    advice: 'send the `request` as the Kubernetes API server does',
  },
  PC_REVIEW_SPEC: {
    meaning:
      'a review of authentication or authorization has no spec, or a field of it is missing or has the wrong type',
    advice: 'send the `spec` as the Kubernetes API server does',
  },
  PC_PATCH_INVALID: {
    meaning: 'a patch is not a valid RFC 6902 document',
    advice: 'mend the operation that the message names',
  },
  PC_PATCH_APPLY: {
    meaning: 'a patch does not apply to the object',
    advice: 'create parents explicitly and replace only what exists',
  },
  PC_PATCH_LIMIT: { meaning: 'a patch is too large', advice: 'change fewer fields or replace their parent' },
  PC_DEADLINE: {
    meaning: "the request's deadline passed before all policies had answered",
    advice: "raise the webhook's timeoutSeconds; the message names the policy that was slow",
  },
} as const satisfies Record<string, FaultEntry>;
