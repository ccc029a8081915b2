import type { JsonObject, Mutation, Phase, Remarks, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { unreadable, type AnswerReader } from './answer-reader.ts';

const KIND = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', mayBeMissing: false };

export interface Asked {
  readonly review: Review;
  readonly phase: Phase;
  readonly policy: string;
}

/** The verdict in an AdmissionReview. */
export function admissionVerdict(answer: AnswerReader, asked: Asked): Verdict | Fault {
  answer.expectKind(KIND);
  const response = answer.object('response');
  const uid = response?.text('uid');
  const allowed = response?.flag('allowed');
  const remarks: Remarks = {
    warnings: response?.texts('warnings') ?? [],
    auditAnnotations: response?.textMap('auditAnnotations') ?? {},
  };
  if (answer.problem !== undefined) return answer.problem;
  if (response === undefined) return unreadable('its answer has no `response`');
  if (uid !== asked.review.uid) return unreadable('`uid` of its answer is not the one of the request');
  if (allowed === undefined) return unreadable('`allowed` is missing in its answer');
  return allowed ? allowance(response, remarks, asked) : denial(response, remarks, asked.policy);
}

function denial(response: AnswerReader, remarks: Remarks, policy: string): Verdict | Fault {
  const status = response.object('status');
  const message = status?.text('message');
  const reason = status?.text('reason');
  const code = status?.errorStatus('code');
  if (response.problem !== undefined) return response.problem;
  const why = message || reason;
  const refused = `admission WASM module "${policy}" denied the request`;
  return {
    outcome: 'deny',
    message: why ? `${refused}: ${why}` : `${refused} without explanation`,
    ...(reason ? { reason } : {}),
    ...(code === undefined ? {} : { code }),
    causes: [],
    ...remarks,
  };
}

function allowance(response: AnswerReader, remarks: Remarks, asked: Asked): Verdict | Fault {
  const patch = response.text('patch') ?? '';
  const patchType = response.text('patchType') ?? '';
  if (response.problem !== undefined) return response.problem;
  if (patch === '' && patchType === '') return { outcome: 'allow', ...remarks };
  const mutation = readMutation(patch, patchType, asked);
  return isFault(mutation) ? mutation : { outcome: 'allow', ...remarks, mutation };
}

/** The patch is the base64 of the complete new object. */
function readMutation(patch: string, patchType: string, { review, phase }: Asked): Mutation | Fault {
  if (patch === '') return unusable('`patchType` without `patch`');
  if (patchType === '') return unusable('`patch` without `patchType`');
  if (patchType !== 'Full') {
    const advice = 'answer with `Full` and the base64 of the complete object';
    return unusable(`patch type not supported: \`${patchType}\`; ${advice}`);
  }
  if (phase !== 'mutate') return unusable('a validating policy may not answer with a patch');
  if (review.operation === 'DELETE') return unusable('a DELETE cannot be answered with a patch');
  const object = decode(patch);
  return isFault(object) ? object : { object };
}

function decode(patch: string): JsonObject | Fault {
  const bytes = Buffer.from(patch, 'base64');
  // What is no base64 is skipped by the decoder, so only what it would write again is one.
  if (bytes.toString('base64') !== patch) return unusable('`patch` is not standard base64');
  const object = parseJson(bytes);
  if (isFault(object)) return unusable(`the object in \`patch\` is not JSON: ${object.message}`);
  return isJsonObject(object) ? object : unusable('`patch` does not hold an object');
}

function unusable(message: string): Fault {
  return new Fault('PC_PLUGIN_MUTATION', message);
}
