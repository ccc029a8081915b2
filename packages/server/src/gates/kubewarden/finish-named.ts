import type { Cause, Decision, JsonPatch, Policy, Review, Verdict } from '@portcullis/contract';
import type { Finding } from '../../chain/finding.ts';
import { contributionOf } from '../../chain/finish.ts';
import { applyMutation } from '../../chain/mutate.ts';
import { isFault } from '../../kernel/fault.ts';
import type { KubewardenQuestion } from './kubewarden-route.ts';

/** What a policy said, on its way to the client. */
interface Answer {
  readonly allowed: boolean;
  readonly message?: string;
  readonly code?: number;
  readonly causes: readonly Cause[];
  readonly patch?: JsonPatch;
  /** Of those that stayed although they did not come back. */
  readonly keptFields?: number;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

type Step = (answer: Answer, finding: Finding) => Answer;

/** In the order of the policy-server; an exception, which it does not have, first: it is about what the policy said. */
const STEPS: Readonly<Record<KubewardenQuestion, readonly Step[]>> = {
  validate: [applyException, applyMonitor, refuseChange, applyMessage],
  validate_raw: [applyException, applyMonitor, refuseChange, applyMessage],
  audit: [applyException],
};

/** The decision that an answer of the policy-server is made of. */
export function finishNamed(
  finding: Finding,
  review: Review,
  { question, revision }: { readonly question: KubewardenQuestion; readonly revision: number },
): Decision {
  const { name } = finding.loaded.policy.metadata;
  const said = answerOf(finding, review);
  const {
    allowed,
    message,
    code,
    patch,
    keptFields: _counted,
    auditAnnotations,
    ...rest
  } = STEPS[question].reduce((answer, step) => step(answer, finding), said);
  return {
    outcome: allowed ? 'allow' : 'deny',
    ...rest,
    auditAnnotations: Object.fromEntries(
      Object.entries(auditAnnotations).map(([key, value]) => [`${name}/${key}`, value]),
    ),
    contributions: [contributionOf({ ...finding, keptFields: said.keptFields ?? 0 })],
    named: {
      origin: question,
      accepted: said.allowed,
      mutated: said.patch !== undefined,
      ...(said.code === undefined ? {} : { code: said.code }),
    },
    revision,
    ...(message === undefined ? {} : { message }),
    ...(code === undefined ? {} : { code }),
    ...(patch === undefined ? {} : { patch }),
  };
}

const INTERNAL_ERROR = 500;
const SILENT = { causes: [], warnings: [], auditAnnotations: {} };

function answerOf({ verdict, loaded: { policy } }: Finding, review: Review): Answer {
  switch (verdict.outcome) {
    case 'deny': {
      const { message, code, causes, warnings, auditAnnotations } = verdict;
      const named = causes.map(inItsWords);
      return {
        allowed: false,
        message,
        ...(code === undefined ? {} : { code }),
        causes: named,
        warnings,
        auditAnnotations,
      };
    }
    case 'allow':
      return allowance(verdict, policy, review);
    case 'fault':
      return { ...SILENT, allowed: false, message: faultText(verdict, policy), code: INTERNAL_ERROR };
    default:
      // Nothing but an explicit allow ever is one.
      return {
        ...SILENT,
        allowed: false,
        message: 'internal server error: the policy gave no answer',
        code: INTERNAL_ERROR,
      };
  }
}

function allowance(verdict: Verdict & { readonly outcome: 'allow' }, policy: Policy, review: Review): Answer {
  const { message, code, mutation, warnings, auditAnnotations } = verdict;
  const said: Answer = {
    allowed: true,
    ...(message === undefined ? {} : { message }),
    ...(code === undefined ? {} : { code }),
    causes: [],
    warnings,
    auditAnnotations,
  };
  if (mutation === undefined) return said;
  const mutated = applyMutation(review, mutation, policy.spec.mutation);
  if (isFault(mutated)) {
    const text = `internal server error: ${mutated.message}`;
    return { ...SILENT, allowed: false, message: text, code: INTERNAL_ERROR };
  }
  if (mutated === undefined) return said;
  const { patch, keptFields, warnings: kept } = mutated;
  return { ...said, ...(patch.length === 0 ? {} : { patch }), keptFields, warnings: [...warnings, ...kept] };
}

function faultText({ code, message }: Verdict & { readonly outcome: 'fault' }, { group }: Policy): string {
  if (group !== undefined && code !== 'PC_INTERNAL')
    return `error evaluating policy group expression: ${message}`;
  switch (code) {
    case 'PC_WASM_TIMEOUT':
      return 'Policy execution interrupted because it exceeded the allowed execution time';
    case 'PC_INTERNAL':
      // What an unforeseen error says may quote anything.
      return 'internal server error';
    case 'PC_OPA_RAW':
      return message;
    case 'PC_OPA_RESULT':
      return `cannot interpret OPA policy result: ${message}`;
    case 'PC_KUBEWARDEN_GUEST':
      return `internal server error: Guest call failure: ${message}`;
    default:
      return `internal server error: ${message}`;
  }
}

/** Documents of ours call the members of a group otherwise. */
function inItsWords({ field, ...cause }: Cause): Cause {
  if (field === undefined) return cause;
  return { ...cause, field: field.replace(/^spec\.members\./, 'spec.policies.') };
}

function applyException(answer: Answer, { exception, verdict }: Finding): Answer {
  if (exception === undefined) return answer;
  const { message, code: _code, patch: _patch, ...rest } = answer;
  const excepted = verdict.outcome === 'allow' ? exception : `${exception}: ${message ?? ''}`;
  return { ...rest, allowed: true, causes: [], auditAnnotations: { ...rest.auditAnnotations, excepted } };
}

/** A policy that only watches never denies, not even when it cannot answer. */
function applyMonitor(answer: Answer, { loaded: { policy } }: Finding): Answer {
  const { mode, message: shown } = policy.spec;
  if (mode === 'enforce') return answer;
  const { allowed, message, patch, warnings, auditAnnotations } = answer;
  const told: string[] = [];
  if (mode === 'warn' && !allowed) told.push(`would be denied: ${shown ?? message ?? ''}`);
  if (mode === 'warn' && allowed && patch !== undefined) told.push('would be changed');
  return { allowed: true, causes: [], warnings: [...warnings, ...told], auditAnnotations };
}

function refuseChange(answer: Answer, { loaded: { policy } }: Finding): Answer {
  const { patch, code: _code, ...rest } = answer;
  if (patch === undefined || policy.byName?.mayMutate === true) return answer;
  const message = `Request rejected by policy ${policy.metadata.name}. The policy attempted to mutate the request, but it is currently configured to not allow mutations.`;
  return { ...rest, allowed: false, message };
}

/** The causes of a group say already what its members found. */
function applyMessage(answer: Answer, { loaded: { policy }, verdict }: Finding): Answer {
  const { message } = policy.spec;
  if (message === undefined || answer.allowed) return answer;
  if (policy.group !== undefined) return verdict.outcome === 'deny' ? { ...answer, message } : answer;
  return { ...answer, message, causes: [...answer.causes, { message: answer.message ?? '' }] };
}
