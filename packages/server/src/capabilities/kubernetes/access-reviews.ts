import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import { isRecord } from '../../kube/kube-object.ts';
import type { KubeResource } from '../../kube/resource.ts';
import { createAnswerCache } from '../answer-cache.ts';
import { optional, provide, type Provider } from '../provider.ts';

const REVIEWS: KubeResource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
  unnamed: true,
};
/** Milliseconds. */
const TTL = 5000;
const TIMEOUT = 10_000;
const MAX_ANSWERS = 10_000;

const text = optional(z.string());
const input = z.object({
  subject_access_review: z.object({
    groups: optional(z.array(z.string())),
    user: z.string(),
    resource_attributes: z.object({
      namespace: text,
      verb: z.string(),
      group: text,
      resource: z.string(),
      subresource: text,
      name: text,
      version: text,
    }),
  }),
  disable_cache: optional(z.boolean()),
});

/** `kubernetes/can_i`: what the API server says that somebody may do. */
export function createAccessReviews(client: KubeClient, clock: Clock): Provider {
  const answers = createAnswerCache<AccessStatus>({ clock, ttl: TTL, max: MAX_ANSWERS });
  return provide(input, async ({ subject_access_review: asked, disable_cache: isFresh }) => {
    const { user, groups, resource_attributes: attributes } = asked;
    const spec = {
      user,
      ...(groups === undefined ? {} : { groups }),
      resourceAttributes: present(attributes),
    };
    const ask = (): Promise<AccessStatus | Fault> => review(client, spec);
    const status = isFresh === true ? await ask() : await answers.get(JSON.stringify(spec), ask);
    return isFault(status) ? status : { json: status };
  });
}

type AccessStatus = Readonly<Record<string, boolean | string>> & { readonly allowed: boolean };

async function review(client: KubeClient, spec: object): Promise<AccessStatus | Fault> {
  const { group, version, kind } = REVIEWS;
  const body = { apiVersion: `${group}/${version}`, kind, spec };
  const answer = await client.create({ resource: REVIEWS }, body, { timeout: TIMEOUT });
  if (isFault(answer)) return answer;
  const { status } = answer;
  // No answer is not "no": the policy may well decide the other way round.
  if (!isRecord(status) || typeof status['allowed'] !== 'boolean') {
    return new Fault(
      'PC_KUBE_ANSWER',
      'the answer to a SubjectAccessReview does not say whether it is allowed',
    );
  }
  const { allowed, denied, reason, evaluationError } = status;
  return {
    allowed,
    ...(typeof denied === 'boolean' ? { denied } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof evaluationError === 'string' ? { evaluationError } : {}),
  };
}

function present(attributes: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
