import type { Decision } from '@portcullis/contract';
import { toText } from '../single-line.ts';
import type { ParsedTokenReview } from './parse-token-review.ts';

/** Characters of an error, which the API server writes to its log. */
const MAX_ERROR = 4096;

/**
 * The answer in the version of the question. An error is only told where no policy knows the token and some could not answer: the
 * API server remembers that a token is unknown, but not errors.
 */
export function encodeTokenReview(decision: Decision, { version }: ParsedTokenReview): string {
  return encode(statusOf(decision), version);
}

export function refuseTokenReview(error: string): string {
  return encode({ authenticated: false, error }, 'v1');
}

function encode(status: object, version: string): string {
  return JSON.stringify({ apiVersion: `authentication.k8s.io/${version}`, kind: 'TokenReview', status });
}

function statusOf({ outcome, user, audiences, error }: Decision): object {
  if (outcome === 'allow' && user !== undefined && user.username !== '') {
    const { username, uid, groups, extra } = user;
    return {
      authenticated: true,
      user: {
        username,
        ...(uid === undefined ? {} : { uid }),
        ...(groups.length === 0 ? {} : { groups }),
        ...(Object.keys(extra).length === 0 ? {} : { extra }),
      },
      ...(audiences === undefined ? {} : { audiences }),
    };
  }
  // A token that a policy refuses is not one about which nothing could be found out.
  const isFaulted = outcome !== 'deny' && error !== undefined;
  return { authenticated: false, ...(isFaulted ? { error: toText(error, MAX_ERROR) } : {}) };
}
