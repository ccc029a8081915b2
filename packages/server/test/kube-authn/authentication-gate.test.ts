import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, PolicySpec, Review, UserInfo, Verdict } from '@portcullis/contract';
import { openAccessServer, type AccessServer } from '../support/access-server.ts';
import {
  abstain,
  answerOf,
  fault,
  knows,
  NO_REMARKS,
  tokenReview,
  type TokenAnswer,
} from './token-review.ts';

type Row = readonly [name: string, verdict: Verdict, spec?: Partial<PolicySpec>];

function open(rows: readonly Row[], audiences?: readonly string[]): AccessServer {
  const policies = rows.map(([name, verdict, spec]) => ({
    name,
    script: () => verdict,
    ...(spec === undefined ? {} : { spec }),
  }));
  return openAccessServer({
    gate: 'authentication',
    policies,
    ...(audiences === undefined ? {} : { audiences }),
  });
}

async function status(server: AccessServer, audiences?: readonly string[]): Promise<TokenAnswer['status']> {
  const response = await server.send(tokenReview('desk-42', audiences));
  assert.equal(response.status, 200, response.body);
  return answerOf(response).status;
}

test('the answer has exactly what the API server reads, in the version of the question', async () => {
  const user = { uid: '7', groups: ['desk'], extra: { 'example.org/floor': ['2', '3'] } };
  const server = open([['desk', knows('ana', ['a', 'b'], user)]]);
  for (const version of ['v1', 'v1beta1']) {
    const response = await server.send(tokenReview('desk-42', ['b', 'c', 'a'], version));
    assert.equal(response.status, 200);
    assert.equal(response.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(response.body), {
      apiVersion: `authentication.k8s.io/${version}`,
      kind: 'TokenReview',
      status: { authenticated: true, user: { username: 'ana', ...user }, audiences: ['b', 'a'] },
    });
  }
});

test('a token that nobody knows is not authenticated, without an error, so that the answer is remembered', async () => {
  assert.deepEqual(
    await status(
      open([
        ['one', abstain],
        ['two', abstain],
      ]),
    ),
    { authenticated: false },
  );
});

test('no policy at all authenticates nobody', async () => {
  assert.deepEqual(await status(open([])), { authenticated: false });
});

test('before the first policy set the call fails', async () => {
  const server = openAccessServer({ gate: 'authentication' });
  const response = await server.send(tokenReview('desk-42'));
  assert.equal(response.status, 503);
  assert.equal(answerOf(response).status.authenticated, false);
  assert.match(answerOf(response).status.error ?? '', /^PC_NOT_READY: no policy set has been loaded yet; /);
});

test('the first that authenticates wins, and those behind it are not asked', async () => {
  const server = open([
    ['one', abstain],
    ['two', knows('ana')],
    ['three', knows('bea')],
  ]);
  assert.deepEqual(await status(server), { authenticated: true, user: { username: 'ana' } });
  assert.deepEqual(server.asked, ['one', 'two']);
});

test('a fault does not keep others from authenticating, and is no error then', async () => {
  assert.deepEqual(
    await status(
      open([
        ['broken', fault],
        ['desk', knows('ana')],
      ]),
    ),
    {
      authenticated: true,
      user: { username: 'ana' },
    },
  );
});

test('faults alone are errors, unless they are ignored', async () => {
  const error = '[broken] call to authn failed: unreachable';
  assert.deepEqual(
    await status(
      open([
        ['broken', fault],
        ['desk', abstain],
      ]),
    ),
    { authenticated: false, error },
  );
  const ignored: Row = ['ignored', fault, { failurePolicy: 'Ignore' }];
  assert.deepEqual(await status(open([ignored, ['broken', fault]])), { authenticated: false, error });
  assert.deepEqual(await status(open([ignored])), { authenticated: false });
});

test('whoever authenticates without a username has not answered', async () => {
  const nameless: Verdict = { outcome: 'allow', ...NO_REMARKS };
  for (const verdict of [nameless, knows('')]) {
    const server = open([['odd', verdict]]);
    assert.deepEqual(await status(server), {
      authenticated: false,
      error: '[odd] the policy authenticated without a username',
    });
    assert.equal(server.records[0]?.contributions[0]?.fault, 'PC_POLICY_USER');
  }
});

const NODE: Partial<UserInfo> = { groups: ['system:nodes', 'system:authenticated', 'staff'] };
const SYSTEM_NAMES: readonly (readonly [
  what: string,
  verdict: Verdict,
  systemNames: readonly string[] | undefined,
  refused: string | undefined,
])[] = [
  ['everything', knows('eve', [], { groups: ['a', 'system:masters'] }), undefined, 'group `system:masters`'],
  [
    'everything, by a pattern',
    knows('eve', [], { groups: ['system:masters'] }),
    ['system:*', 'system:m*'],
    'group `system:masters`',
  ],
  ['everything, by name', knows('eve', [], { groups: ['system:masters'] }), ['system:masters'], undefined],
  ['another user', knows('system:admin'), undefined, 'user name `system:admin`'],
  ['a node', knows('system:node:a', [], NODE), ['system:node:*'], 'group `system:nodes`'],
  ['a node, allowed', knows('system:node:a', [], NODE), ['system:node:*', 'system:nodes'], undefined],
  [
    'nothing but the group of all',
    knows('ana', [], { groups: ['system:authenticated'] }),
    undefined,
    undefined,
  ],
  [
    'the group of nobody',
    knows('ana', [], { groups: ['system:unauthenticated'] }),
    undefined,
    'group `system:unauthenticated`',
  ],
  [
    'a name that only looks alike',
    knows('ecosystem:a', [], { groups: ['system', 'System:masters'] }),
    undefined,
    undefined,
  ],
];

for (const [what, verdict, systemNames, refused] of SYSTEM_NAMES) {
  test(`names of Kubernetes itself: ${what}`, async () => {
    const server = open([['desk', verdict, systemNames === undefined ? {} : { systemNames }]]);
    const { authenticated, error } = await status(server);
    assert.equal(authenticated, refused === undefined);
    if (refused === undefined) return;
    assert.equal(
      error,
      `[desk] the policy gave the ${refused}, which \`spec.systemNames\` does not allow it`,
    );
    assert.equal(server.records[0]?.contributions[0]?.fault, 'PC_POLICY_SYSTEM_NAME');
  });
}

test('a name of Kubernetes itself that holds the token is told without it', async () => {
  const answer = await status(open([['desk', knows('system:desk-42-of-anybody')]]));
  assert.match(answer.error ?? '', /user name `system:\[redacted\]-of-anybody`/);
});

test('a denial ends the turn and authenticates nobody', async () => {
  const revoked: Verdict = { outcome: 'deny', message: 'revoked', causes: [], ...NO_REMARKS };
  const server = open([
    ['revoked', revoked],
    ['desk', knows('ana')],
  ]);
  assert.deepEqual(await status(server), { authenticated: false });
  assert.deepEqual(server.asked, ['revoked']);
});

test('a policy that only warns or audits is asked and authenticates nobody', async () => {
  for (const mode of ['warn', 'audit'] as const) {
    const server = open([
      ['trial', knows('eve'), { mode }],
      ['broken', fault, { mode }],
    ]);
    assert.deepEqual(await status(server), { authenticated: false });
    assert.deepEqual(server.asked, ['trial', 'broken']);
    assert.deepEqual(
      server.records[0]?.contributions.map(({ policy, outcome }) => [policy, outcome]),
      [
        ['trial', 'allow'],
        ['broken', 'fault'],
      ],
    );
  }
});

test('audiences: those that are wanted and granted, and without any the token is unknown', async () => {
  const cases: [
    granted: string[] | undefined,
    own: string[],
    wanted: string[] | undefined,
    expected: unknown,
  ][] = [
    [['a', 'b'], [], ['b', 'a', 'b'], ['b', 'a']],
    [['a'], [], ['b'], false],
    [['a'], ['b'], ['b'], false],
    // The policy names none: those of the API server, which compares them itself where they are not known here.
    [undefined, ['b', 'c'], ['b'], ['b']],
    [undefined, ['c'], ['b'], false],
    [[], ['b'], ['b'], ['b']],
    [undefined, [], ['b'], undefined],
    // Nobody asks for any: those of the API server are meant.
    [['a'], [], undefined, ['a']],
    [['a', 'b'], ['b'], undefined, ['b']],
    [['a'], ['b'], undefined, false],
    [undefined, ['b'], [], ['b']],
    [undefined, [], undefined, undefined],
  ];
  for (const [granted, own, wanted, expected] of cases) {
    const found = await status(open([['desk', knows('ana', granted)]], own), wanted);
    const name = JSON.stringify([granted, own, wanted]);
    assert.equal(found.authenticated, expected !== false, name);
    assert.deepEqual(found.audiences, expected === false ? undefined : expected, name);
  }
});

test('a token for other audiences is offered to the next policy', async () => {
  const server = open([
    ['other', knows('eve', ['vault'])],
    ['desk', knows('ana', ['api'])],
  ]);
  assert.deepEqual(await status(server, ['api']), {
    authenticated: true,
    user: { username: 'ana' },
    audiences: ['api'],
  });
});

test('one policy alone, by its name', async () => {
  const server = open([
    ['one', knows('ana')],
    ['two', knows('bea')],
  ]);
  const ask = async (path: string): Promise<TokenAnswer> =>
    answerOf(await server.send(tokenReview('desk-42'), { path }));
  assert.equal((await ask('/authentication/two')).status.user?.username, 'bea');
  assert.match(
    (await ask('/authentication/three')).status.error ?? '',
    /there is no authentication policy `three`/,
  );
  for (const path of ['/authentication/', '/authentication/A', '/authentication/a/b', '/authentications']) {
    assert.equal((await server.send(tokenReview('desk-42'), { path })).status, 404, path);
  }
});

test('guests are asked with the v1 document, and with nothing but token and audiences', async () => {
  const seen: Review[] = [];
  const server = openAccessServer({
    gate: 'authentication',
    policies: [{ name: 'see', script: (review) => (seen.push(review), abstain) }],
  });
  const odd = tokenReview('desk-42', ['a'], 'v1beta1') as { spec: JsonObject };
  await server.send({ ...odd, spec: { ...odd.spec, more: true } });
  assert.deepEqual(JSON.parse(Buffer.from(seen[0]?.request.bytes ?? []).toString()), {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: 'desk-42', audiences: ['a'] },
  });
});

test('conditions see the spec of the review', async () => {
  const conditions = [{ name: 'ours', expression: "request.token.startsWith('desk-')" }];
  const match = { operations: [], resources: [], namespaces: [], excludedNamespaces: [], conditions };
  const server = open([['desk', knows('ana'), { match }]]);
  assert.equal((await status(server)).authenticated, true);
  assert.equal(answerOf(await server.send(tokenReview('other'))).status.authenticated, false);
  assert.deepEqual(server.asked, ['desk']);
});

test('bad input is refused as a failed call, and no policy is asked', async () => {
  const review = JSON.stringify(tokenReview('desk-42'));
  const cases: [string, unknown, number, string][] = [
    ['nothing', '', 400, 'PC_REVIEW_EMPTY'],
    ['not JSON', 'token: desk-42', 400, 'PC_REVIEW_JSON'],
    ['truncated', review.slice(0, -1), 400, 'PC_REVIEW_JSON'],
    ['an array', '[]', 400, 'PC_REVIEW_KIND'],
    ['another kind', review.replace('TokenReview', 'TokenRequest'), 400, 'PC_REVIEW_KIND'],
    [
      'another group',
      review.replace('authentication.k8s.io', 'authorization.k8s.io'),
      400,
      'PC_REVIEW_VERSION',
    ],
    ['another version', tokenReview('desk-42', [], 'v2'), 400, 'PC_REVIEW_VERSION'],
    ['no spec', { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1' }, 400, 'PC_REVIEW_SPEC'],
    ['a spec that is a list', review.replace('{"token":"desk-42"}', '[]'), 400, 'PC_REVIEW_SPEC'],
    ['no token', review.replace('"token":"desk-42"', ''), 400, 'PC_REVIEW_SPEC'],
    ['an empty token', tokenReview(''), 400, 'PC_REVIEW_SPEC'],
    ['a token that is null', review.replace('"desk-42"', 'null'), 400, 'PC_REVIEW_SPEC'],
    ['a token that is a number', review.replace('"desk-42"', '42'), 400, 'PC_REVIEW_SPEC'],
    [
      'audiences that are a text',
      review.replace('"token"', '"audiences":"a","token"'),
      400,
      'PC_REVIEW_SPEC',
    ],
    ['a token of 65 KiB', tokenReview('x'.repeat(65 * 1024)), 400, 'PC_REVIEW_SPEC'],
    ['a token of 1 MB', tokenReview('x'.repeat(1_000_000)), 400, 'PC_REVIEW_SPEC'],
    ['a body of 2 MB', tokenReview('x'.repeat(2_000_000)), 413, 'PC_REVIEW_SIZE'],
    ['two tokens', review.replace('"token"', '"token":"a","token"'), 400, 'PC_REVIEW_DUPLICATE_KEY'],
    [
      'two tokens, one in disguise',
      review.replace('"token"', '"\\u0074oken":"a","token"'),
      400,
      'PC_REVIEW_DUPLICATE_KEY',
    ],
    ['two specs', review.replace('"spec"', '"spec":{},"spec"'), 400, 'PC_REVIEW_DUPLICATE_KEY'],
    ['half a character', review.replace('desk-42', '\\ud800'), 400, 'PC_REVIEW_ENCODING'],
    ['no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 400, 'PC_REVIEW_ENCODING'],
    ['a thousand levels', '['.repeat(1000), 400, 'PC_REVIEW_DEPTH'],
  ];
  const server = open([['desk', knows('ana')]]);
  for (const [name, body, code, wanted] of cases) {
    const response = await server.send(body);
    assert.equal(response.status, code, name);
    const { kind, status: told } = answerOf(response);
    assert.deepEqual([kind, told.authenticated], ['TokenReview', false], name);
    assert.ok(told.error?.startsWith(`${wanted}: `), `${name}: ${told.error}`);
    assert.ok(response.body.length < 1000, name);
  }
  assert.deepEqual(server.asked, []);
  assert.deepEqual(
    server.refused,
    cases.map(([, , , wanted]) => wanted),
  );
  assert.deepEqual(server.records, []);
});

test('another method and another content type', async () => {
  const server = open([]);
  const get = await server.send('', { method: 'GET' });
  assert.deepEqual([get.status, get.headers['allow']], [405, 'POST']);
  assert.equal((await server.send(tokenReview('a'), { contentType: 'text/plain' })).status, 415);
});

test('a token of 64 KiB is fine, and so is every character', async () => {
  for (const token of ['x'.repeat(64 * 1024), '"\\\n\u0000ß☂😀', '__proto__']) {
    const seen: unknown[] = [];
    const server = openAccessServer({
      gate: 'authentication',
      policies: [{ name: 'see', script: ({ request }) => (seen.push(request.value()), abstain) }],
    });
    assert.equal((await server.send(tokenReview(token))).status, 200);
    assert.equal((seen[0] as { spec: { token: string } }).spec.token, token);
  }
});
