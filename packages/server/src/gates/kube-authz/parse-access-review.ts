import type { JsonObject, Review, UserInfo } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { jsonDocumentOf } from '../../kernel/json/json-document.ts';
import { readReviewDocument, type ReviewKind, type ReviewVersion } from '../review-document.ts';
import type { SpecReader } from '../spec-reader.ts';
import { readFieldSelector, readLabelSelector } from './read-selector.ts';

export const ACCESS_REVIEW: ReviewKind = { group: 'authorization.k8s.io', kind: 'SubjectAccessReview' };

export interface ParsedAccessReview {
  readonly review: Review;
  readonly version: ReviewVersion;
}

/** What somebody wants to do: its part of a review, and its part of the document for guests. */
interface Wish {
  readonly about: Pick<Review, 'resource' | 'subresource' | 'name' | 'namespace' | 'verb' | 'path'>;
  readonly document: JsonObject;
}

const KIND = { group: ACCESS_REVIEW.group, version: 'v1', kind: ACCESS_REVIEW.kind };
const NOTHING = { group: '', version: '', resource: '' };
/** Of `resourceAttributes`, in the order in which the API server writes them. */
const ATTRIBUTES = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'] as const;

/**
 * One SubjectAccessReview. The document for guests is written anew from what was read here, in version v1, so that no policy sees
 * what this gate has not understood: the raw text of a selector, or the other version's name of the groups.
 */
export function parseAccessReview(
  body: Uint8Array,
  { uid, deadline }: { readonly uid: string; readonly deadline: number },
): ParsedAccessReview | Fault {
  const document = readReviewDocument(body, ACCESS_REVIEW);
  if (isFault(document)) return document;
  const { spec, version } = document;
  const user = readUser(spec, version);
  const wish = readWish(spec);
  if (spec.problem !== undefined) return spec.problem;
  const review: Review = {
    gate: 'authorization',
    uid,
    operation: 'CREATE',
    kind: KIND,
    ...wish.about,
    user,
    dryRun: false,
    request: jsonDocumentOf({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { ...describeUser(user), ...wish.document },
    }),
    deadline,
  };
  return { review, version };
}

function readUser(spec: SpecReader, version: ReviewVersion): UserInfo {
  const username = spec.text('user');
  const uid = spec.text('uid');
  const groups = spec.texts(version === 'v1' ? 'groups' : 'group');
  if (username === '' && groups.length === 0) spec.fail('names neither a user nor a group');
  return { username, ...(uid === '' ? {} : { uid }), groups, extra: spec.textsMap('extra') };
}

function describeUser({ username, uid, groups, extra }: UserInfo): JsonObject {
  return {
    ...(username === '' ? {} : { user: username }),
    ...(uid === undefined ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function readWish(spec: SpecReader): Wish {
  const resource = spec.object('resourceAttributes');
  const path = spec.object('nonResourceAttributes');
  if ((resource === undefined) === (path === undefined)) {
    spec.fail('must have either `resourceAttributes` or `nonResourceAttributes`');
  }
  return path === undefined ? readResourceWish(resource) : readPathWish(path);
}

function readPathWish(attributes: SpecReader): Wish {
  const path = attributes.text('path');
  const verb = attributes.text('verb');
  return {
    about: { resource: NOTHING, subresource: '', name: '', namespace: '', verb, path },
    document: { nonResourceAttributes: { path, verb } },
  };
}

function readResourceWish(attributes: SpecReader | undefined): Wish {
  const given: Record<string, JsonObject | string> = {};
  const text = (key: (typeof ATTRIBUTES)[number]): string => attributes?.text(key) ?? '';
  for (const key of ATTRIBUTES) if (text(key) !== '') given[key] = text(key);
  const fieldSelector = readFieldSelector(attributes);
  const labelSelector = readLabelSelector(attributes);
  return {
    about: {
      resource: { group: text('group'), version: text('version'), resource: text('resource') },
      subresource: text('subresource'),
      name: text('name'),
      namespace: text('namespace'),
      verb: text('verb'),
    },
    document: {
      resourceAttributes: {
        ...given,
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
      },
    },
  };
}
