import type { Policy } from '@portcullis/contract';
import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { ControlPlane, PolicyView } from '../control-plane.ts';
import type { Changes } from '../http/changes.ts';
import { flag, readQuery } from '../http/read-query.ts';
import { jsonResponse } from '../http/responses.ts';
import type { Call, Content, Route } from '../http/route.ts';
import { DOCUMENT_SCHEMAS } from '../openapi/document-schemas.ts';
import { policyListSchema, policyResourceSchema, policyStatusSchema } from '../openapi/schemas.ts';
import { checkPrecondition, policyTag } from './policy-tag.ts';
import { POLICY_MEDIA_TYPES, readPolicy } from './read-policy.ts';
import { showPolicy } from './show-policy.ts';

export interface PolicyRoutesOptions {
  readonly control: ControlPlane;
  readonly changes: Changes;
  /** Bytes of one document. */
  readonly maxBytes: number;
}

const LIST = '/api/v1/policies';
const ONE = '/api/v1/policies/{name}';
const DOCUMENT: Content = Object.fromEntries(
  POLICY_MEDIA_TYPES.map((type) => [type, DOCUMENT_SCHEMAS.SentDocument]),
);
const RESOURCE: Content = { 'application/json': policyResourceSchema };
const IF_MATCH = 'entity tag that the policy must have now; `*`: it must exist';
const WRITE_HEADERS = { 'if-match': IF_MATCH, 'if-none-match': '`*`: the policy must not exist' };
const WRITE_ANSWERS: Route['answers'] = {
  200: { description: 'replaced', content: RESOURCE },
  201: { description: 'created', content: RESOURCE },
};
const WRITE_FAILURES = [400, 409, 412, 413, 415, 422, 503];

const readQuerySchema = z.strictObject({
  module: flag.exactOptional().describe('`true` (with the bytes of an inline module) or `false`'),
});

export function policyRoutes({ control, changes, maxBytes }: PolicyRoutesOptions): readonly Route[] {
  async function post({ request, token }: Call): Promise<Response | Fault> {
    const policy = await readPolicy(request, maxBytes);
    if (isFault(policy)) return policy;
    return putUnder(policy, { request, token });
  }

  async function replace({ request, name, token }: Call): Promise<Response | Fault> {
    if (hasNamespace(name)) return kept(name);
    const policy = await readPolicy(request, maxBytes);
    if (isFault(policy)) return policy;
    if (policy.metadata.name !== name) {
      const named = policy.metadata.name;
      return new Fault('PC_BODY', `the document is named \`${named}\`, but the path names \`${name}\``);
    }
    return putUnder(policy, { request, token });
  }

  async function putUnder(
    policy: Policy,
    { request, token }: Pick<Call, 'request' | 'token'>,
  ): Promise<Response | Fault> {
    const { name } = policy.metadata;
    return changes.make({ action: 'policy.put', name, token }, async () => {
      return checkPrecondition(request, control.policy(name)?.policy) ?? put(policy);
    });
  }

  async function put(policy: Policy): Promise<Response | Fault> {
    const result = await control.put(policy);
    if (isFault(result)) return result;
    const { created, view } = result;
    const location = { location: `${LIST}/${encodeURIComponent(view.name)}` };
    return resource(view, { status: created ? 201 : 200, headers: created ? location : {} });
  }

  async function remove({ request, name, token }: Call): Promise<Response | Fault> {
    if (hasNamespace(name)) return kept(name);
    return changes.make({ action: 'policy.delete', name, token }, async () => {
      const fault = checkPrecondition(request, control.policy(name)?.policy) ?? (await control.remove(name));
      return fault ?? new Response(null, { status: 204 });
    });
  }

  function find(name: string): PolicyView | Fault {
    return control.policy(name) ?? new Fault('PC_NOT_FOUND', `there is no policy \`${name}\``);
  }

  return [
    {
      method: 'GET',
      path: LIST,
      operationId: 'listPolicies',
      summary: 'Everything that is known, refused documents included',
      access: 'viewer',
      faults: 'problem',
      answers: { 200: { description: 'sorted by name', content: { 'application/json': policyListSchema } } },
      failures: [],
      handle: () => jsonResponse({ items: control.policies().map(summaryOf) }),
    },
    {
      method: 'POST',
      path: LIST,
      operationId: 'postPolicy',
      summary: 'Create or replace the policy that the document names; answers when it is in force',
      access: 'editor',
      faults: 'problem',
      headers: WRITE_HEADERS,
      body: DOCUMENT,
      answers: WRITE_ANSWERS,
      failures: WRITE_FAILURES,
      handle: post,
    },
    {
      method: 'GET',
      path: ONE,
      operationId: 'readPolicy',
      summary: 'One policy with its document and its status',
      access: 'viewer',
      faults: 'problem',
      query: readQuerySchema,
      answers: { 200: { description: 'with its entity tag, when it is in force', content: RESOURCE } },
      failures: [400, 404],
      handle({ url, name }) {
        const query = readQuery(url, readQuerySchema);
        if (isFault(query)) return query;
        const view = find(name);
        return isFault(view) ? view : resource(view, { withModule: query.module ?? false });
      },
    },
    {
      method: 'PUT',
      path: ONE,
      operationId: 'putPolicy',
      summary: 'Create or replace a policy; answers when it is in force',
      access: 'editor',
      faults: 'problem',
      headers: WRITE_HEADERS,
      body: DOCUMENT,
      answers: WRITE_ANSWERS,
      failures: WRITE_FAILURES,
      handle: replace,
    },
    {
      method: 'DELETE',
      path: ONE,
      operationId: 'deletePolicy',
      summary: 'Remove a policy that came through this API',
      access: 'editor',
      faults: 'problem',
      headers: { 'if-match': IF_MATCH },
      answers: { 204: { description: 'no longer in force' } },
      failures: [404, 409, 412, 503],
      handle: remove,
    },
    {
      method: 'GET',
      path: `${ONE}/status`,
      operationId: 'readPolicyStatus',
      summary: 'How one policy stands, with its last faults',
      access: 'viewer',
      faults: 'problem',
      answers: { 200: { description: 'the status', content: { 'application/json': policyStatusSchema } } },
      failures: [404],
      handle({ name }) {
        const view = find(name);
        return isFault(view) ? view : jsonResponse(view.status);
      },
    },
  ];
}

/** Names of namespaced policies are the only ones with a slash; in a path it is written `%2F`. */
function hasNamespace(name: string): boolean {
  return name.includes('/');
}

function kept(name: string): Fault {
  return new Fault(
    'PC_CONFLICT',
    `\`${name}\` is the name of a namespaced policy: change it where it comes from, in the Kubernetes API or in its file`,
  );
}

interface Showing {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly withModule?: boolean;
}

function resource(view: PolicyView, { status = 200, headers = {}, withModule = false }: Showing): Response {
  const { name, policy } = view;
  const document = policy === undefined ? {} : { policy: showPolicy(policy, withModule) };
  const tag: Record<string, string> = policy === undefined ? {} : { etag: policyTag(policy) };
  return jsonResponse({ name, ...document, status: view.status }, status, { ...tag, ...headers });
}

/** Without module and settings, which may be large. */
function summaryOf({ name, policy, status }: PolicyView): object {
  if (policy === undefined) return { name, status };
  const { version, description } = policy.metadata;
  const { gate, phase, order, mode, failurePolicy, enabled } = policy.spec;
  return { name, version, description, gate, phase, order, mode, failurePolicy, enabled, status };
}
