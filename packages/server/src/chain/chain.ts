import type {
  Decision,
  FailurePolicy,
  JsonPatchOperation,
  JsonValue,
  Phase,
  Review,
} from '@portcullis/contract';
import { Fault, isFault } from '../kernel/fault.ts';
import { atOnce, BESIDE_OTHERS, inSlices, UNDISTURBED } from '../kernel/in-slices.ts';
import type { NamespaceAppears } from '../kernel/ports.ts';
import { failureClassOf } from '../policy/failure-class.ts';
import { isAccessGate } from '../policy/access-gate.ts';
import { askInTurn } from './ask-in-turn.ts';
import { ask, faulted, type AskPorts } from './ask.ts';
import { Catalogue, openCatalogue, type CatalogueOptions, type OpenedCatalogue } from './catalogue.ts';
import type { Finding } from './finding.ts';
import { combine, settle, type Settled } from './finish.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import { applyMutation, withoutMutation } from './mutate.ts';
import type { Observer } from './observer.ts';
import type { PolicySet } from './policy-set.ts';
import { recordOf } from './record-of.ts';
import { settleAuthentication, settleAuthorization, type Audiences } from './settle-access.ts';

/** What every gate says about its question. */
export interface Asking {
  /** Only this policy. Its match still decides whether it is asked. */
  readonly policy?: string;
  /** W3C trace context of the request. */
  readonly traceParent?: string;
}

/** What a gate asks: one phase, of all policies or of one. */
export interface Question extends Asking {
  readonly phase: Phase;
  /** Only policies of this class. */
  readonly failureClass?: FailurePolicy;
  /** How the gate's protocol makes a review with a changed object. */
  readonly withObject: (review: Review, object: JsonValue) => Review;
}

/** What the gates of authentication and authorization ask: their policies in order, until one decides. */
export interface AccessQuestion extends Asking {
  /** Authentication: what the token has to be good for. */
  readonly audiences?: Audiences;
}

/** What a gate asks one policy that is asked by its name only. */
export interface NamedQuestion {
  /** A member of a group as `group/member`. */
  readonly policy: string;
  /** What the protocol makes of what the policy said. */
  readonly finish: (finding: Finding, revision: number) => Decision;
  readonly traceParent?: string;
}

export interface Chain {
  /** Swaps the policy set; reviews in flight finish on the one that they began with. Not while `installInSlices` runs. */
  install(set: PolicySet): void;
  /** The same beside decisions, which are not held up: they are made by the old set until the new one is open as a whole. */
  installInSlices(set: PolicySet): Promise<void>;
  /** 0 before the first set. */
  readonly revision: number;
  /** PC_NOT_FOUND for a policy that does not exist, PC_NOT_READY before the first set. Never rejects. */
  decide(review: Review, question: Question): Promise<Decision | Fault>;
  /** The same for reviews of authentication and authorization. */
  decideAccess(review: Review, question: AccessQuestion): Promise<Decision | Fault>;
  /** The same for policies that are asked by their name only. */
  decideNamed(review: Review, question: NamedQuestion): Promise<Decision | Fault>;
  close(): void;
}

export interface ChainOptions extends CatalogueOptions {
  readonly observer: Observer;
  /** Absent: what is not known stays so. */
  readonly namespaceAppears?: NamespaceAppears;
}

export function createChain(options: ChainOptions): Chain {
  const { clock } = options.host;
  const ports: AskPorts = { clock, namespaceAppears: options.namespaceAppears ?? (async () => false) };
  let catalogue = new Catalogue(0);
  let installing: Promise<unknown> = Promise.resolve();

  function swap(opened: OpenedCatalogue): void {
    const previous = catalogue;
    catalogue = opened.catalogue;
    previous.retire(opened.unused);
  }

  async function observed(
    review: Review,
    question: Selection,
    judge: (asked: Asked) => Promise<Decision>,
    choose: typeof select = select,
  ): Promise<Decision | Fault> {
    const current = catalogue;
    const asked = choose(current, review, question);
    if (isFault(asked)) return asked;
    const started = clock.now();
    current.enter();
    let decision: Decision | undefined;
    try {
      decision = await judge(asked);
      return decision;
    } finally {
      current.leave();
      options.observer.decided(
        recordOf(review, question, { decision, durationMs: clock.now() - started, time: clock.wall() }),
      );
    }
  }

  function decide(review: Review, question: Question): Promise<Decision | Fault> {
    const judge = question.phase === 'mutate' ? mutateInOrder : validateTogether;
    return observed(review, question, (asked) => judge(asked, review, question));
  }

  function decideAccess(review: Review, question: AccessQuestion): Promise<Decision | Fault> {
    const { audiences = NO_AUDIENCES } = question;
    const settleAccess =
      review.gate === 'authentication'
        ? (finding: Finding) => settleAuthentication(finding, audiences)
        : settleAuthorization;
    return observed(review, { ...question, phase: 'validate' }, (asked) =>
      askInTurn(asked, review, { ...ports, settle: settleAccess }),
    );
  }

  function decideNamed(review: Review, { finish, ...question }: NamedQuestion): Promise<Decision | Fault> {
    return observed(
      review,
      { ...question, phase: 'validate' },
      async ({ policies: [named], revision }) => {
        const finding = named === undefined ? undefined : await ask(named, review, ports);
        if (finding === undefined) throw new TypeError('a policy that is asked by name did not answer');
        return finish(finding, revision);
      },
      selectNamed,
    );
  }

  /** Each policy sees what the ones before it made; the first denial ends the phase. */
  async function mutateInOrder(asked: Asked, review: Review, question: Question): Promise<Decision> {
    const settled: Settled[] = [];
    const patch: JsonPatchOperation[] = [];
    let current = review;
    for (const loaded of asked.policies) {
      const finding = await ask(loaded, current, ports);
      if (finding === undefined) continue;
      const verdict = settle(finding);
      if (verdict.outcome !== 'allow' || verdict.mutation === undefined) {
        settled.push({ finding, verdict });
        if (verdict.outcome === 'deny') break;
        continue;
      }
      const mutated = applyMutation(current, verdict.mutation, loaded.policy.spec.mutation);
      if (isFault(mutated)) {
        const broken: Finding = { ...finding, verdict: faulted(mutated) };
        const outcome = settle(broken);
        settled.push({ finding: broken, verdict: outcome });
        if (outcome.outcome === 'deny') break;
        continue;
      }
      const { keptFields = 0, warnings = [] } = mutated ?? {};
      settled.push({ finding: { ...finding, keptFields }, verdict: withoutMutation(verdict, warnings) });
      if (mutated === undefined || mutated.patch.length === 0) continue;
      patch.push(...mutated.patch);
      current = question.withObject(current, mutated.object);
    }
    return combine(settled, patch, asked.revision);
  }

  async function validateTogether(asked: Asked, review: Review): Promise<Decision> {
    const [only] = asked.policies;
    const findings =
      asked.policies.length === 1 && only !== undefined
        ? [await ask(only, review, ports)]
        : await Promise.all(asked.policies.map((loaded) => ask(loaded, review, ports)));
    const settled: Settled[] = [];
    for (const finding of findings) {
      if (finding !== undefined) settled.push({ finding, verdict: settle(finding) });
    }
    return combine(settled, [], asked.revision);
  }

  return {
    install(set) {
      swap(atOnce(openCatalogue(set, options, catalogue)));
    },
    installInSlices(set) {
      const installed = installing.then(async () => {
        const pace = catalogue.revision === 0 ? UNDISTURBED : BESIDE_OTHERS;
        const opened = await inSlices(openCatalogue(set, options, catalogue), clock, pace);
        // Who asks the new set finds instances; until then the old one answers, or readiness says that there is none.
        await options.host.runtime.started();
        swap(opened);
      });
      installing = installed.catch(() => undefined);
      return installed;
    },
    get revision() {
      return catalogue.revision;
    },
    decide,
    decideAccess,
    decideNamed,
    close() {
      catalogue.retire(catalogue.policies);
    },
  };
}

/** Of a set of policies, those that are asked. */
interface Selection extends Asking {
  readonly phase: Phase;
  readonly failureClass?: FailurePolicy;
}

interface Asked {
  readonly policies: readonly LoadedPolicy[];
  readonly revision: number;
}

function select(catalogue: Catalogue, review: Review, question: Selection): Asked | Fault {
  const { phase, policy, failureClass } = question;
  // No policies and no knowledge of any are two things: only the first one may allow.
  if (catalogue.revision === 0) return new Fault('PC_NOT_READY', 'no policy set has been loaded yet');
  const candidates = catalogue.candidates(phase, review);
  const { revision } = catalogue;
  if (failureClass !== undefined) {
    const policies = candidates.filter((loaded) => failureClassOf(loaded.policy) === failureClass);
    return { policies, revision };
  }
  if (policy === undefined) return { policies: candidates, revision };
  const named = catalogue.find(phase, policy);
  if (named?.policy.spec.gate !== review.gate)
    return new Fault(
      'PC_NOT_FOUND',
      `there is no ${isAccessGate(review.gate) ? review.gate : phase} policy \`${policy}\``,
    );
  return { policies: candidates.includes(named) ? [named] : [], revision };
}

function selectNamed(catalogue: Catalogue, review: Review, { policy = '' }: Selection): Asked | Fault {
  const { revision } = catalogue;
  if (revision === 0) return new Fault('PC_NOT_READY', 'no policy set has been loaded yet');
  const named = catalogue.named(policy);
  if (named?.policy.spec.gate !== review.gate) return new Fault('PC_NOT_FOUND', `unknown policy: ${policy}`);
  return { policies: [named], revision };
}

const NO_AUDIENCES: Audiences = { wanted: [], own: [] };
