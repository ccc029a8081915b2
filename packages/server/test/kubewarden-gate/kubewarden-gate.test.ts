import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { JsonObject, Verdict } from '@portcullis/contract';
import * as fc from 'fast-check';
import { allow, deny, type Script } from '../support/scripted-engine.ts';
import { openGate, podReview } from './open-gate.ts';

const CHANGED = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { team: 'a' } } };
const PATCH = [{ op: 'add', path: '/metadata/labels', value: { team: 'a' } }];

const SCRIPTS: Readonly<Record<string, Script>> = {
  allow: () => allow,
  tell: () => ({
    outcome: 'allow',
    message: 'fine',
    warnings: ['old API'],
    auditAnnotations: { seen: 'yes' },
  }),
  deny: () =>
    ({ ...deny('no team label'), code: 418, warnings: ['w'], auditAnnotations: { why: 'label' } }) as Verdict,
  change: () => ({ outcome: 'allow', mutation: { object: CHANGED }, warnings: [], auditAnnotations: {} }),
  same: (review) => ({
    outcome: 'allow',
    mutation: { object: review.object?.value() as JsonObject },
    warnings: [],
    auditAnnotations: {},
  }),
  abstain: () => ({ outcome: 'abstain', warnings: [], auditAnnotations: {} }),
  timeout: () => ({ outcome: 'fault', code: 'PC_WASM_TIMEOUT', message: 'took too long' }),
  guest: () => ({ outcome: 'fault', code: 'PC_KUBEWARDEN_GUEST', message: 'it is broken' }),
  garbage: () => ({
    outcome: 'fault',
    code: 'PC_KUBEWARDEN_OUTPUT',
    message: 'Cannot deserialize policy validation response: no JSON',
  }),
  throws: () => {
    throw new Error('secret');
  },
};

function envelope(response: object): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    response: { uid: 'u1', auditAnnotations: null, warnings: null, ...response },
  };
}

async function answer(entry: string, path = '/validate/p', review: unknown = podReview()): Promise<unknown> {
  const { post } = await openGate(`p: ${entry}`, SCRIPTS);
  const { response, body } = await post(path, review);
  assert.equal(response.status, 200);
  assert.equal(response.headers['content-type'], 'application/json');
  return body;
}

describe('the bodies of /validate', () => {
  test('an allow, alone and with everything', async () => {
    assert.deepEqual(await answer('{module: allow}'), envelope({ allowed: true }));
    assert.deepEqual(
      await answer('{module: tell}'),
      envelope({
        allowed: true,
        status: { message: 'fine' },
        auditAnnotations: { seen: 'yes' },
        warnings: ['old API'],
      }),
    );
  });

  test('the members stand in the order of the policy-server', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    const { response } = await post('/validate/p', podReview());
    assert.equal(
      response.body,
      '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"u1","allowed":true,"auditAnnotations":null,"warnings":null}}',
    );
  });

  test('a denial, with the text of the policy and its code', async () => {
    assert.deepEqual(
      await answer('{module: deny}'),
      envelope({
        allowed: false,
        status: { message: 'no team label', code: 418 },
        auditAnnotations: { why: 'label' },
        warnings: ['w'],
      }),
    );
  });

  test('a configured message replaces the text, which goes to the causes', async () => {
    const body = (await answer('{module: deny, message: add a team label}')) as {
      response: { status: object };
    };
    assert.deepEqual(body.response.status, {
      message: 'add a team label',
      code: 418,
      details: { causes: [{ field: null, message: 'no team label', reason: null }] },
    });
  });

  test('a change is a patch when it is allowed, and a denial when not', async () => {
    assert.deepEqual(
      await answer('{module: change, allowedToMutate: true}'),
      envelope({
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(PATCH)).toString('base64'),
      }),
    );
    assert.deepEqual(
      await answer('{module: change}'),
      envelope({
        allowed: false,
        status: {
          message:
            'Request rejected by policy p. The policy attempted to mutate the request, but it is currently configured to not allow mutations.',
        },
      }),
    );
    assert.deepEqual(await answer('{module: same}'), envelope({ allowed: true }));
  });

  test('a policy that cannot answer denies with 500 and says why, at status 200', async () => {
    const failed = (message: string): object => envelope({ allowed: false, status: { message, code: 500 } });
    assert.deepEqual(
      await answer('{module: timeout}'),
      failed('Policy execution interrupted because it exceeded the allowed execution time'),
    );
    assert.deepEqual(
      await answer('{module: guest}'),
      failed('internal server error: Guest call failure: it is broken'),
    );
    assert.deepEqual(
      await answer('{module: garbage}'),
      failed('internal server error: Cannot deserialize policy validation response: no JSON'),
    );
    assert.deepEqual(
      await answer('{module: abstain}'),
      failed('internal server error: the policy gave no answer'),
    );
    assert.ok(!JSON.stringify(await answer('{module: throws}')).includes('secret'));
  });

  test('what the policy itself said is recorded, whatever came of it', async () => {
    const file = `deny: {module: deny, policyMode: monitor}
change: {module: change}
fault: {module: guest, message: shown}`;
    const { post, records } = await openGate(file, SCRIPTS);
    await post('/validate/deny', podReview());
    await post('/audit/change', podReview());
    await post('/validate/change', podReview());
    await post('/validate_raw/fault', { request: {} });
    assert.deepEqual(
      records.map(({ named }) => named),
      [
        { origin: 'validate', accepted: false, mutated: false, code: 418 },
        { origin: 'audit', accepted: true, mutated: true },
        { origin: 'validate', accepted: true, mutated: true },
        { origin: 'validate_raw', accepted: false, mutated: false, code: 500 },
      ],
    );
  });

  test('in monitor mode everything is allowed, warnings and annotations stay, and the record has the real verdict', async () => {
    const { post, records } = await openGate('p: {module: deny, policyMode: monitor}', SCRIPTS);
    const { body } = await post('/validate/p', podReview());
    assert.deepEqual(body, envelope({ allowed: true, auditAnnotations: { why: 'label' }, warnings: ['w'] }));
    assert.deepEqual(
      records.map(({ outcome, contributions }) => [
        outcome,
        contributions[0]?.outcome,
        contributions[0]?.message,
      ]),
      [['allow', 'deny', 'no team label']],
    );
    assert.deepEqual(await answer('{module: change, policyMode: monitor}'), envelope({ allowed: true }));
  });

  test('weakness 25: on request the client of a monitored policy is told', async () => {
    const { post } = await openGate('p: {module: deny, policyMode: monitor}', SCRIPTS, {
      reading: { monitorWarnings: true },
    });
    const { body } = await post('/validate/p', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: true,
        auditAnnotations: { why: 'label' },
        warnings: ['w', 'would be denied: no team label'],
      }),
    );
  });

  test('weakness 31: a policy that only watches does not deny when it cannot answer or was never loaded', async () => {
    assert.deepEqual(await answer('{module: timeout, policyMode: monitor}'), envelope({ allowed: true }));
    assert.deepEqual(await answer('{module: missing, policyMode: monitor}'), envelope({ allowed: true }));
  });

  test('`apiVersion` and `kind` may be missing', async () => {
    const review = podReview({}, { apiVersion: undefined, kind: undefined });
    assert.deepEqual(await answer('{module: allow}', '/validate/p', review), envelope({ allowed: true }));
  });
});

describe('/audit', () => {
  test('is the raw verdict: no monitor mode, no message, no rule about changes', async () => {
    assert.deepEqual(
      await answer('{module: deny, policyMode: monitor, message: other}', '/audit/p'),
      envelope({
        allowed: false,
        status: { message: 'no team label', code: 418 },
        auditAnnotations: { why: 'label' },
        warnings: ['w'],
      }),
    );
    const changed = (await answer('{module: change}', '/audit/p')) as {
      response: { allowed: boolean; patch: string };
    };
    assert.equal(changed.response.allowed, true);
    assert.deepEqual(JSON.parse(Buffer.from(changed.response.patch, 'base64').toString()), PATCH);
  });

  test('weakness 20: audits take turns, and requests do not wait for them', async () => {
    const started: string[] = [];
    const release = Promise.withResolvers<void>();
    const { post } = await openGate('slow: {module: slow}\nfast: {module: allow}', {
      ...SCRIPTS,
      slow: async (review) => {
        started.push(review.uid);
        await release.promise;
        return allow;
      },
    });
    const audits = ['a', 'b', 'c', 'd'].map((uid) => post('/audit/slow', podReview({ uid })));
    await sleep(0);
    assert.deepEqual(started, ['a', 'b']);
    const { body } = await post('/validate/fast', podReview());
    assert.deepEqual(body, envelope({ allowed: true }));
    release.resolve();
    const all = await Promise.all(audits);
    assert.deepEqual(started, ['a', 'b', 'c', 'd']);
    assert.deepEqual(
      all.map(({ response }) => response.status),
      [200, 200, 200, 200],
    );
  });
});

describe('/validate_raw', () => {
  test('asks about any JSON, with the bytes that arrived', async () => {
    let seen = '';
    const { post } = await openGate('p: {module: look}', {
      look: (review) => {
        seen = Buffer.from(review.request.bytes).toString();
        return allow;
      },
    });
    const { response } = await post('/validate_raw/p', '{"request": {"uid":"r1", "n": 9007199254740993}}');
    assert.equal(
      response.body,
      '{"response":{"uid":"r1","allowed":true,"auditAnnotations":null,"warnings":null}}',
    );
    assert.equal(seen, '{"uid":"r1", "n": 9007199254740993}');
    for (const request of ['[1]', '"text"', 'null', '7', '{"uid":7}']) {
      const other = await post('/validate_raw/p', `{"request":${request}}`);
      assert.equal((other.body as { response: { uid: string } }).response.uid, '', request);
      assert.equal(seen, request);
    }
  });

  test('a change is one of the whole request', async () => {
    const { post } = await openGate('p: {module: add, allowedToMutate: true}', {
      add: () => ({
        outcome: 'allow',
        mutation: { object: { uid: 'r1', b: 1 } },
        warnings: [],
        auditAnnotations: {},
      }),
    });
    const { body } = await post('/validate_raw/p', { request: { uid: 'r1' } });
    const { patch } = (body as { response: { patch: string } }).response;
    assert.deepEqual(JSON.parse(Buffer.from(patch, 'base64').toString()), [
      { op: 'add', path: '/b', value: 1 },
    ]);
  });

  test('without `request` it is not judged', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    const { response } = await post('/validate_raw/p', {});
    assert.equal(response.status, 422);
    assert.equal(
      response.body,
      'Failed to deserialize the JSON body into the target type: missing field `request`',
    );
  });
});

const GROUP = `
g:
  policyMode: protect
  expression: "EXPRESSION"
  message: neither rule holds
  policies: {a: {module: a}, b: {module: b}, c: {module: c}}
`;

describe('groups', () => {
  const script =
    (text: string): Script =>
    () =>
      ({
        ...deny(`${text} found something`),
        warnings: [`warned ${text}`],
        auditAnnotations: { key: text },
      }) as Verdict;
  const group = (expression: string): string => GROUP.replace('EXPRESSION', expression);

  test('a denial has the message of the group, and a cause for each member that was asked and denied', async () => {
    const { post } = await openGate(group('a() || b() || (false && c())'), {
      a: script('a'),
      b: script('b'),
      c: script('c'),
    });
    const { body } = await post('/validate/g', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: false,
        status: {
          message: 'neither rule holds',
          details: {
            causes: [
              { field: 'spec.policies.a', message: 'a found something', reason: null },
              { field: 'spec.policies.b', message: 'b found something', reason: null },
            ],
          },
        },
        // Weakness 12: they are lost in the policy-server.
        auditAnnotations: { 'a.key': 'a', 'b.key': 'b' },
        warnings: ['a: warned a', 'b: warned b'],
      }),
    );
  });

  test('weakness 12: each member is asked at most once, and only when it matters', async () => {
    const asked: string[] = [];
    const count =
      (name: string, verdict: Verdict): Script =>
      () => {
        asked.push(name);
        return verdict;
      };
    const { post } = await openGate(group('(a() && a()) || (a() && b()) || c()'), {
      a: count('a', allow),
      b: count('b', allow),
      c: count('c', allow),
    });
    await post('/validate/g', podReview());
    assert.deepEqual(asked, ['a']);
  });

  test('a member that changes the object counts as one that denied', async () => {
    const scripts = {
      ...SCRIPTS,
      a: SCRIPTS['change'] as Script,
      b: SCRIPTS['same'] as Script,
      c: () => allow,
    };
    const { post } = await openGate(group('a() && b() && c()'), scripts);
    const { body } = await post('/validate/g', podReview());
    assert.deepEqual((body as { response: { status: { details: object } } }).response.status.details, {
      causes: [
        { field: 'spec.policies.a', message: 'mutation is not allowed inside of policy group', reason: null },
      ],
    });
    const negated = await openGate(group('!a() && b() && c()'), scripts);
    assert.deepEqual((await negated.post('/validate/g', podReview())).body, envelope({ allowed: true }));
  });

  test('a member that cannot answer makes the group fail, unless the others settle it', async () => {
    const scripts = { a: SCRIPTS['guest'] as Script, b: () => allow, c: () => deny('no') };
    const failing = await openGate(group('a() && b() || c()'), scripts);
    const { body } = await failing.post('/validate/g', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: false,
        status: {
          message: 'error evaluating policy group expression: member `a`: it is broken',
          code: 500,
        },
      }),
    );
    const settled = await openGate(group('a() || b() || c()'), scripts);
    assert.deepEqual((await settled.post('/validate/g', podReview())).body, envelope({ allowed: true }));
  });

  test('members answer under the name of the group', async () => {
    const { post } = await openGate(group('a() && b() && c()'), {
      a: script('a'),
      b: () => allow,
      c: () => allow,
    });
    const { body } = await post('/validate/g%2Fa', podReview());
    assert.equal(
      (body as { response: { status: { message: string } } }).response.status.message,
      'a found something',
    );
    assert.deepEqual((await post('/validate/g%2Fb', podReview())).body, envelope({ allowed: true }));
    assert.equal((await post('/validate/g%2Fz', podReview())).response.status, 404);
  });
});

describe('what is not judged', () => {
  test('an unknown id is 404, an id with two slashes 500', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    for (const question of ['validate', 'audit']) {
      const unknown = await post(`/${question}/x`, podReview());
      assert.equal(unknown.response.status, 404);
      assert.deepEqual(unknown.body, { message: 'unknown policy: x', status: 404 });
    }
    const slashes = await post('/validate/a%2Fb%2Fc', podReview());
    assert.equal(slashes.response.status, 500);
    assert.deepEqual(slashes.body, { message: 'Something went wrong', status: 500 });
  });

  test('bad JSON is 400, another shape 422, another content type 415, too much 413; in JSON or in text as the policy-server has it', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS, { maxBodyBytes: 2000 });
    const cases: readonly (readonly [unknown, string, number, RegExp])[] = [
      ['{', 'application/json', 400, /^Failed to parse the request body as JSON: unexpected end at byte 1$/],
      ['', 'application/json', 400, /^Failed to parse the request body as JSON: the body is empty$/],
      [
        { kind: 'AdmissionReview' },
        'application/json',
        422,
        /^Failed to deserialize the JSON body into the target type: /,
      ],
      [podReview({ operation: 'SIGN' }), 'application/json', 422, /operation/],
      [podReview(), 'text/plain', 415, /^Expected request with `Content-Type: application\/json`$/],
      [podReview({ name: 'x'.repeat(2000) }), 'application/json', 413, /^the body has more than 2000 bytes$/],
    ];
    for (const [body, contentType, status, message] of cases) {
      const json = await post('/validate/p', body, { contentType });
      assert.equal(json.response.status, status);
      assert.equal((json.body as { status: number }).status, status);
      assert.match((json.body as { message: string }).message, message);
      const text = await post('/audit/p', body, { contentType });
      assert.equal(text.response.status, status);
      assert.match(text.response.body, message);
      assert.match(text.response.headers['content-type'] ?? '', /^text\/plain/);
    }
  });

  test('before the first policies are there it is 503', async () => {
    const { gate } = await openGate('p: {module: allow}', SCRIPTS, {
      decide: async () => (await import('../../src/kernel/fault.ts')).Fault.from(undefined, 'PC_NOT_READY'),
    });
    const body = Buffer.from(JSON.stringify(podReview()));
    const request = {
      method: 'POST',
      path: '/validate/p',
      query: '',
      contentType: 'application/json',
      body,
      received: 0,
    };
    assert.equal((await gate(request)).status, 503);
    assert.equal((await gate({ ...request, method: 'GET' })).status, 405);
    assert.equal((await gate({ ...request, path: '/validate/%zz' })).status, 404);
  });

  test('a namespace that is always accepted is not asked about, but raw requests are', async () => {
    const { post, records } = await openGate('p: {module: deny}', SCRIPTS, { acceptNamespace: 'kubewarden' });
    const review = podReview({ namespace: 'kubewarden' });
    assert.deepEqual((await post('/validate/p', review)).body, envelope({ allowed: true }));
    assert.deepEqual((await post('/audit/p', review)).body, envelope({ allowed: true }));
    assert.equal(records.length, 0);
    const raw = await post('/validate_raw/p', { request: { namespace: 'kubewarden' } });
    assert.equal((raw.body as { response: { allowed: boolean } }).response.allowed, false);
    assert.match(JSON.stringify((await post('/validate/p', podReview())).body), /no team label/);
  });

  test('weakness 5: two objects of 3 MiB are judged', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    const metadata = { name: 'web', annotations: { large: 'x'.repeat(3 * 1024 * 1024) } };
    const object = { apiVersion: 'v1', kind: 'Pod', metadata };
    const { response } = await post(
      '/validate/p',
      podReview({ operation: 'UPDATE', object, oldObject: object }),
    );
    assert.equal(response.status, 200);
  });
});

describe('policies that come and go', () => {
  const FIFTY = Array.from(
    { length: 50 },
    (_, index) => `p${index}: {module: ${index === 49 ? 'missing' : 'allow'}}`,
  );

  test('weakness 17 and 18: one bad policy in a file of fifty: forty-nine serve, status names the fiftieth', async () => {
    const { post, loader } = await openGate(FIFTY.join('\n'), SCRIPTS);
    for (let index = 0; index < 49; index++) {
      assert.deepEqual((await post(`/validate/p${index}`, podReview())).body, envelope({ allowed: true }));
    }
    const refused = loader.statuses().filter(({ state }) => state !== 'loaded');
    assert.deepEqual(
      refused.map(({ name, state, problem, standsIn }) => [name, state, problem?.code, standsIn]),
      [['p49', 'refused', 'PC_MODULE_MALFORMED', true]],
    );
    const { body } = await post('/validate/p49', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: false,
        status: { message: 'internal server error: no script `missing`', code: 500 },
      }),
    );
  });

  test('weakness 16: the file is followed, and of an entry that breaks the last good one stays in force', async () => {
    const { post, write, loader } = await openGate('p: {module: deny}\nq: {module: allow}', SCRIPTS);
    await write('p: {module: allow}\nq: {module: deny}');
    assert.deepEqual((await post('/validate/p', podReview())).body, envelope({ allowed: true }));
    await write('p: {module: allow, policyMode: sometimes}\nq: {module: allow}');
    assert.deepEqual((await post('/validate/p', podReview())).body, envelope({ allowed: true }));
    assert.deepEqual((await post('/validate/q', podReview())).body, envelope({ allowed: true }));
    assert.match(
      loader.status('p')?.problem?.message ?? '',
      /^policies.yml:1:20: p.policyMode: must be one of/,
    );
    assert.equal(loader.status('p')?.lastGood, true);
    await write('q: [');
    assert.deepEqual((await post('/validate/q', podReview())).body, envelope({ allowed: true }));
    await write('q: {module: allow}');
    assert.equal((await post('/validate/p', podReview())).response.status, 404);
  });

  test('that a policy may change something is a change of its own', async () => {
    const { post, write } = await openGate('p: {module: change}', SCRIPTS);
    const allowed = async (): Promise<boolean> =>
      ((await post('/validate/p', podReview())).body as { response: { allowed: boolean } }).response.allowed;
    assert.equal(await allowed(), false);
    await write('p: {module: change, allowedToMutate: true}');
    assert.equal(await allowed(), true);
  });

  test('the request bounds the time of a policy', async () => {
    const left: number[] = [];
    const { post } = await openGate('p: {module: look, timeoutEvalSeconds: 20}', {
      look: (review) => {
        left.push(review.deadline - performance.now());
        return allow;
      },
    });
    await post('/validate/p?timeout=1s', podReview());
    assert.ok((left[0] as number) <= 1000);
  });
});

test('property: whatever a policy says, the answer is an allow only when it said so', async () => {
  const texts = fc.string({ maxLength: 20 });
  const remarks = fc.record({
    warnings: fc.array(texts, { maxLength: 3 }),
    auditAnnotations: fc.dictionary(texts, texts, { maxKeys: 3 }),
  });
  const verdicts = fc.oneof(
    remarks.map((said): Verdict => ({ outcome: 'allow', ...said })),
    fc
      .tuple(remarks, texts)
      .map(([said, message]): Verdict => ({ outcome: 'deny', message, causes: [], ...said })),
    remarks.map((said): Verdict => ({ outcome: 'abstain', ...said })),
    texts.map((message): Verdict => ({ outcome: 'fault', code: 'PC_WASM_TRAP', message })),
    fc.constant({ outcome: 'maybe' } as unknown as Verdict),
  );
  let next: Verdict = allow;
  const { post } = await openGate('p: {module: any}', { any: () => next });
  await fc.assert(
    fc.asyncProperty(verdicts, async (verdict) => {
      next = verdict;
      const { response, body } = await post('/validate/p', podReview());
      assert.equal(response.status, 200);
      const said = (body as { response: { allowed: unknown; uid: unknown } }).response;
      assert.equal(said.allowed, verdict.outcome === 'allow');
      assert.equal(said.uid, 'u1');
    }),
    { seed: 7, numRuns: 200 },
  );
});

test('property: whatever is sent, what is no whole review is never answered with 200', async () => {
  const { gate } = await openGate('p: {module: allow}', SCRIPTS);
  const whole = Buffer.from(JSON.stringify(podReview()));
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.nat(whole.length - 1).map((length) => whole.subarray(0, length)),
    fc.json().map((text) => Buffer.from(`{"request":${text}}`)),
  );
  const questions = fc.constantFrom('validate', 'audit');
  await fc.assert(
    fc.asyncProperty(questions, bodies, async (question, body) => {
      const { status } = await gate({
        method: 'POST',
        path: `/${question}/p`,
        query: '',
        contentType: 'application/json',
        body,
        received: performance.now(),
      });
      assert.ok(status === 400 || status === 422, String(status));
    }),
    { seed: 8, numRuns: 300 },
  );
});
