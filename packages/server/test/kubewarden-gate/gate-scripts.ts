import assert from 'node:assert/strict';
import type { JsonObject, Verdict } from '@portcullis/contract';
import { allow, deny, type Script } from '../support/scripted-engine.ts';
import { openGate, podReview } from './open-gate.ts';

export const CHANGED = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { team: 'a' } } };
export const PATCH = [{ op: 'add', path: '/metadata/labels', value: { team: 'a' } }];

/** What the policies of these tests say, by the address of their module. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  allow: () => allow,
  tell: () => ({
    outcome: 'allow',
    message: 'fine',
    warnings: ['old API'],
    auditAnnotations: { seen: 'yes' },
  }),
  code: () => ({ outcome: 'allow', code: 202, warnings: [], auditAnnotations: {} }),
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

export function envelope(response: object): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    response: { uid: 'u1', auditAnnotations: null, warnings: null, ...response },
  };
}

/** What one entry of a file answers. */
export async function answer(
  entry: string,
  path = '/validate/p',
  review: unknown = podReview(),
): Promise<unknown> {
  const { post } = await openGate(`p: ${entry}`, SCRIPTS);
  const { response, body } = await post(path, review);
  assert.equal(response.status, 200);
  assert.equal(response.headers['content-type'], 'application/json');
  return body;
}
