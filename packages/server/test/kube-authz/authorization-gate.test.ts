import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue, PolicySpec, Review, Verdict } from '@portcullis/contract';
import { openAccessServer, type AccessServer } from '../support/access-server.ts';
import {
  accessReview,
  answerOf,
  broken,
  GET_LOGS,
  LIST_PODS,
  noOpinion,
  permit,
  refuse,
  type AccessAnswer,
} from './access-review.ts';

type Row = readonly [name: string, verdict: Verdict, spec?: Partial<PolicySpec>];

function open(rows: readonly Row[]): AccessServer {
  const policies = rows.map(([name, verdict, spec]) => ({
    name,
    script: () => verdict,
    ...(spec === undefined ? {} : { spec }),
  }));
  return openAccessServer({ gate: 'authorization', policies });
}

async function status(server: AccessServer, spec: unknown = LIST_PODS): Promise<AccessAnswer['status']> {
  const response = await server.send(accessReview(spec));
  assert.equal(response.status, 200, response.body);
  return answerOf(response).status;
}

/** What a policy is asked with, and the review around it. */
async function seen(
  spec: unknown,
  version = 'v1',
): Promise<{ readonly review: Review; readonly spec: JsonValue }> {
  const reviews: Review[] = [];
  const server = openAccessServer({
    gate: 'authorization',
    policies: [{ name: 'see', script: (review) => (reviews.push(review), noOpinion()) }],
  });
  const response = await server.send(accessReview(spec, version));
  const [review = assert.fail(response.body)] = reviews;
  const document = JSON.parse(Buffer.from(review.request.bytes).toString()) as Record<string, JsonValue>;
  assert.deepEqual(
    [Object.keys(document), document['apiVersion'], document['kind']],
    [['apiVersion', 'kind', 'spec'], 'authorization.k8s.io/v1', 'SubjectAccessReview'],
  );
  return { review, spec: document['spec'] as JsonValue };
}

test('the answer has exactly what the API server reads, in the version of the question', async () => {
  for (const version of ['v1', 'v1beta1']) {
    const response = await open([['desk', permit('desk may list')]]).send(accessReview(LIST_PODS, version));
    assert.deepEqual([response.status, response.headers['content-type']], [200, 'application/json']);
    assert.deepEqual(JSON.parse(response.body), {
      apiVersion: `authorization.k8s.io/${version}`,
      kind: 'SubjectAccessReview',
      status: { allowed: true, reason: '[desk] desk may list' },
    });
  }
});

test('allow, deny and no opinion, with reason and error', async () => {
  const cases: [Verdict, AccessAnswer['status']][] = [
    [permit(), { allowed: true }],
    [permit('yes', 'slow'), { allowed: true, reason: '[p] yes', evaluationError: '[p] slow' }],
    [refuse('no'), { allowed: false, denied: true, reason: '[p] no' }],
    [
      refuse('no', 'the answer is both allowed and denied'),
      {
        allowed: false,
        denied: true,
        reason: '[p] no',
        evaluationError: '[p] the answer is both allowed and denied',
      },
    ],
    [noOpinion(), { allowed: false }],
    [noOpinion('not mine', 'odd'), { allowed: false, reason: '[p] not mine', evaluationError: '[p] odd' }],
  ];
  for (const [verdict, expected] of cases) assert.deepEqual(await status(open([['p', verdict]])), expected);
});

test('no policy at all has no opinion', async () => {
  assert.deepEqual(await status(open([])), { allowed: false });
});

test('before the first policy set the call fails, and the API server does what it is configured to do', async () => {
  const response = await openAccessServer({ gate: 'authorization' }).send(accessReview());
  assert.equal(response.status, 503);
  assert.deepEqual([answerOf(response).status.allowed, answerOf(response).status.denied], [false, undefined]);
});

test('the first opinion counts, and those behind it are not asked', async () => {
  const server = open([
    ['one', noOpinion('not mine')],
    ['two', refuse('never')],
    ['three', permit()],
  ]);
  assert.deepEqual(await status(server), {
    allowed: false,
    denied: true,
    reason: '[one] not mine; [two] never',
  });
  assert.deepEqual(server.asked, ['one', 'two']);
});

test('a fault denies under Fail, and is no opinion under Ignore', async () => {
  const strict = open([
    ['strict', broken],
    ['other', permit()],
  ]);
  assert.deepEqual(await status(strict), {
    allowed: false,
    denied: true,
    reason: '[strict] the policy could not answer',
    evaluationError: '[strict] call to authz failed: unreachable',
  });
  assert.deepEqual(strict.asked, ['strict']);
  const open2 = open([
    ['lax', broken, { failurePolicy: 'Ignore' }],
    ['other', permit()],
  ]);
  assert.deepEqual(await status(open2), {
    allowed: true,
    evaluationError: '[lax] call to authz failed: unreachable',
  });
});

test('a policy that warns has no opinion and tells what it would have said; one that audits is only recorded', async () => {
  const modes = async (verdict: Verdict, mode: 'warn' | 'audit'): Promise<AccessAnswer['status']> => {
    const server = open([['trial', verdict, { mode }]]);
    const found = await status(server);
    assert.equal(server.records[0]?.contributions[0]?.outcome, verdict.outcome);
    return found;
  };
  assert.deepEqual(await modes(refuse('no'), 'warn'), {
    allowed: false,
    reason: '[trial] would be denied: no',
  });
  assert.deepEqual(await modes(permit(), 'warn'), { allowed: false, reason: '[trial] would be allowed' });
  assert.deepEqual(await modes(broken, 'warn'), {
    allowed: false,
    reason: '[trial] would be denied: the policy could not answer',
    evaluationError: '[trial] call to authz failed: unreachable',
  });
  for (const verdict of [refuse('no'), permit('yes', 'odd'), broken]) {
    assert.deepEqual(await modes(verdict, 'audit'), { allowed: false });
  }
});

test('the message of the document stands for that of a denial', async () => {
  const server = open([['desk', refuse('rule 7'), { message: 'ask the desk' }]]);
  assert.equal((await status(server)).reason, '[desk] ask the desk');
});

test('one policy alone, by its name', async () => {
  const server = open([
    ['one', refuse()],
    ['two', permit()],
  ]);
  assert.equal(
    answerOf(await server.send(accessReview(), { path: '/authorization/two' })).status.allowed,
    true,
  );
  const missing = await server.send(accessReview(), { path: '/authorization/three' });
  assert.equal(missing.status, 404);
  assert.match(answerOf(missing).status.evaluationError ?? '', /there is no authorization policy `three`/);
});

test('guests see the v1 document, whatever version the question had', async () => {
  assert.deepEqual((await seen(LIST_PODS)).spec, LIST_PODS);
  const { groups, ...rest } = LIST_PODS;
  const old = await seen({ ...rest, group: groups, groups: ['system:masters'] }, 'v1beta1');
  assert.deepEqual(old.spec, LIST_PODS);
  assert.deepEqual(old.review.user.groups, groups);
  // The name of the other version says nothing.
  assert.deepEqual((await seen({ ...LIST_PODS, group: ['system:masters'] })).spec, LIST_PODS);
});

test('the review says who wants to do what', async () => {
  const { review } = await seen({
    user: 'ana',
    resourceAttributes: {
      namespace: 'ledger',
      verb: 'update',
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      subresource: 'scale',
      name: 'web',
    },
  });
  assert.deepEqual(
    [
      review.gate,
      review.verb,
      review.path,
      review.resource,
      review.subresource,
      review.name,
      review.namespace,
    ],
    [
      'authorization',
      'update',
      undefined,
      { group: 'apps', version: 'v1', resource: 'deployments' },
      'scale',
      'web',
      'ledger',
    ],
  );
  const path = await seen(GET_LOGS);
  assert.deepEqual(
    [path.review.verb, path.review.path, path.review.resource.resource],
    ['get', '/logs/today', ''],
  );
  assert.deepEqual(path.spec, GET_LOGS);
});

test('selectors are their requirements and never their raw text', async () => {
  const ask = async (attributes: object): Promise<JsonValue> => {
    const { spec } = await seen({
      user: 'ana',
      resourceAttributes: { verb: 'list', resource: 'pods', ...attributes },
    });
    const {
      verb: _verb,
      resource: _resource,
      ...rest
    } = (spec as Record<string, Record<string, JsonValue>>)['resourceAttributes'] ?? {};
    return rest;
  };
  const node = { key: 'spec.nodeName', operator: 'In', values: ['n1'] };
  const tier = { key: 'tier', operator: 'Exists' };
  assert.deepEqual(
    await ask({
      fieldSelector: { rawSelector: 'spec.nodeName=n1,metadata.name=x', requirements: [node] },
      labelSelector: { rawSelector: 'tier', requirements: [tier] },
    }),
    { fieldSelector: { requirements: [node] }, labelSelector: { requirements: [tier] } },
  );
  assert.deepEqual(await ask({ fieldSelector: { rawSelector: 'spec.nodeName=n1' } }), {});
  assert.deepEqual(await ask({ labelSelector: { requirements: [] }, fieldSelector: null }), {});
  // What is not understood narrows nothing.
  const odd = [
    { key: 'a', operator: 'Exists' },
    { key: 'a', operator: 'In' },
    { key: '', operator: 'In', values: ['b'] },
    { key: 'a', operator: 'Gt', values: ['1'] },
    {},
  ];
  assert.deepEqual(await ask({ fieldSelector: { requirements: [...odd, node] } }), {
    fieldSelector: { requirements: [node] },
  });
  assert.deepEqual(await ask({ labelSelector: { requirements: [{ ...tier, values: ['x'] }] } }), {});
});

test('what is not in a v1 document never reaches a guest', async () => {
  const { spec } = await seen({
    ...LIST_PODS,
    admin: true,
    resourceAttributes: { ...LIST_PODS.resourceAttributes, force: true },
  });
  assert.deepEqual(spec, LIST_PODS);
});

test('bad input is refused as a failed call, and no policy is asked', async () => {
  const review = JSON.stringify(accessReview());
  const attributes = LIST_PODS.resourceAttributes;
  const cases: [string, unknown, number, string][] = [
    ['nothing', '', 400, 'PC_REVIEW_EMPTY'],
    ['truncated', review.slice(0, -1), 400, 'PC_REVIEW_JSON'],
    ['another kind', review.replace('SubjectAccessReview', 'SelfSubjectAccessReview'), 400, 'PC_REVIEW_KIND'],
    ['another version', accessReview(LIST_PODS, 'v2'), 400, 'PC_REVIEW_VERSION'],
    ['no spec', accessReview(null), 400, 'PC_REVIEW_SPEC'],
    ['nobody', accessReview({ resourceAttributes: attributes }), 400, 'PC_REVIEW_SPEC'],
    [
      'groups under the wrong name',
      accessReview({ group: ['a'], resourceAttributes: attributes }),
      400,
      'PC_REVIEW_SPEC',
    ],
    ['nothing wanted', accessReview({ user: 'ana' }), 400, 'PC_REVIEW_SPEC'],
    ['both wanted', accessReview({ ...LIST_PODS, ...GET_LOGS }), 400, 'PC_REVIEW_SPEC'],
    ['a user that is a list', accessReview({ ...LIST_PODS, user: ['ana'] }), 400, 'PC_REVIEW_SPEC'],
    ['groups that are a text', accessReview({ ...LIST_PODS, groups: 'desk' }), 400, 'PC_REVIEW_SPEC'],
    ['extra with texts', accessReview({ ...LIST_PODS, extra: { a: 'b' } }), 400, 'PC_REVIEW_SPEC'],
    [
      'a verb that is a number',
      accessReview({ user: 'a', resourceAttributes: { verb: 1 } }),
      400,
      'PC_REVIEW_SPEC',
    ],
    [
      'attributes that are a list',
      accessReview({ user: 'a', resourceAttributes: [] }),
      400,
      'PC_REVIEW_SPEC',
    ],
    [
      'a requirement that is a text',
      accessReview({ user: 'a', resourceAttributes: { fieldSelector: { requirements: ['a=b'] } } }),
      400,
      'PC_REVIEW_SPEC',
    ],
    ['two users', review.replace('"user"', '"user":"root","user"'), 400, 'PC_REVIEW_DUPLICATE_KEY'],
    ['2 MB', accessReview({ ...LIST_PODS, user: 'x'.repeat(2_000_000) }), 413, 'PC_REVIEW_SIZE'],
  ];
  const server = open([['p', permit()]]);
  for (const [name, body, code, wanted] of cases) {
    const response = await server.send(body);
    assert.equal(response.status, code, `${name}: ${response.body}`);
    const { kind, status: told } = answerOf(response);
    assert.deepEqual([kind, told.allowed], ['SubjectAccessReview', false], name);
    assert.ok(told.evaluationError?.startsWith(`${wanted}: `), `${name}: ${told.evaluationError}`);
    assert.ok(response.body.length < 1000, name);
  }
  assert.deepEqual(server.asked, []);
  assert.deepEqual(
    server.refused,
    cases.map(([, , , wanted]) => wanted),
  );
});

test('the record says who wanted to do what', async () => {
  const server = open([['p', refuse('no')]]);
  await server.send(accessReview(LIST_PODS), { traceParent: '00-1-2-01' });
  await server.send(accessReview(GET_LOGS));
  const [first, second] = server.records;
  assert.deepEqual(
    [
      first?.gate,
      first?.uid,
      first?.user,
      first?.verb,
      first?.path,
      first?.resource.resource,
      first?.namespace,
    ],
    ['authorization', 'review-1', 'ana', 'list', undefined, 'pods', 'ledger'],
  );
  assert.deepEqual([first?.outcome, first?.message, first?.traceParent], ['deny', '[p] no', '00-1-2-01']);
  assert.deepEqual([second?.verb, second?.path, second?.resource.resource], ['get', '/logs/today', '']);
});
