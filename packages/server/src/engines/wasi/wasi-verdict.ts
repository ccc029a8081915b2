import type { Phase, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { createTokenHider } from '../../policy/review-token.ts';
import { holdsSecret } from '../review-secrets.ts';
import { admissionVerdict } from './admission-answer.ts';
import { authenticationVerdict } from './authentication-answer.ts';
import { authorizationVerdict } from './authorization-answer.ts';
import type { WasiCall } from './wasi-call.ts';
import { isWasiGate } from './wasi-exports.ts';
import { unreadable } from './answer-reader.ts';
import { parseEnvelope } from './parse-envelope.ts';

export interface WasiQuestion {
  readonly review: Review;
  readonly phase: Phase;
  readonly policy: string;
}

const READERS = {
  admission: admissionVerdict,
  authentication: authenticationVerdict,
  authorization: authorizationVerdict,
};

/** What a run that came to its end said. */
export function wasiVerdict({ output }: Pick<WasiCall, 'output'>, question: WasiQuestion): Verdict {
  const { gate } = question.review;
  // What is there of an answer that was cut may read as another one.
  const response = output.isIncomplete
    ? unreadable('its output is larger than `limits.output`')
    : parseEnvelope(output.bytes());
  if (isFault(response)) return wasiFault(response, question.review);
  const verdict = isWasiGate(gate)
    ? READERS[gate](response, question)
    : new Fault('PC_INTERNAL', `a review of the gate \`${gate}\``);
  return isFault(verdict) ? wasiFault(verdict, question.review) : verdict;
}

/** A run that did not come to its end, with what the guest wrote to standard error about it. */
export function failedCall(
  fault: Fault,
  { diagnosis }: Pick<WasiCall, 'diagnosis'>,
  { entry, review }: { readonly entry: string; readonly review: Review },
): Verdict {
  const written = diagnosis.excerpt();
  const shown = holdsSecret(review) ? 'withheld, the request holds a secret' : `'${written}'`;
  const message =
    written === ''
      ? `call to ${entry} failed: ${fault.message}`
      : `call to ${entry} failed. stderr: ${shown}, err: ${fault.message}`;
  return wasiFault(new Fault(fault.code, message), review);
}

export function wasiFault({ code, message }: Fault, review: Review): Verdict {
  return { outcome: 'fault', code, message: createTokenHider(review)(message) };
}
