import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type {
  Decision,
  DecisionRecord,
  EngineName,
  JsonDocument,
  JsonPatch,
  Phase,
  Policy,
  Review,
} from '@portcullis/contract';
import { ENGINES } from '../../app/engine-table.ts';
import { createChain, type Asking } from '../../chain/chain.ts';
import { createPolicyLoader, type ReloadReport } from '../../chain/policy-loader.ts';
import type { PolicySet } from '../../chain/policy-set.ts';
import type { Engine, EngineHost } from '../../engines/engine.ts';
import type { HostCapabilities } from '../../engines/host-capabilities.ts';
import { parseTokenReview, type ParsedTokenReview } from '../../gates/kube-authn/parse-token-review.ts';
import { parseAccessReview, type ParsedAccessReview } from '../../gates/kube-authz/parse-access-review.ts';
import { parseAdmissionReview } from '../../gates/kube-admission/parse-admission-review.ts';
import { withObject } from '../../gates/kube-admission/with-object.ts';
import { Fault, isFault } from '../../kernel/fault.ts';
import { applyJsonPatch } from '../../kernel/json-patch/apply-json-patch.ts';
import type { Clock, Logger, NamespaceLabels } from '../../kernel/ports.ts';
import { createFileModuleSource } from '../../sources/file/file-module-source.ts';
import { inlineModuleSource } from '../../sources/inline/inline-module-source.ts';
import { createModuleResolver } from '../../sources/module-resolver.ts';
import type { DocumentSource, ModuleSource } from '../../sources/source.ts';
import { createUrlModuleSource } from '../../sources/url/url-module-source.ts';
import { createWasmRuntime } from '../../wasm/wasm-runtime.ts';
import type { AccessGate, ReviewInput } from './read-inputs.ts';

/** The server without its sockets: the same loader, engines, chain and gate parser, on this thread. */
export interface OfflineServer {
  readonly report: ReloadReport;
  readonly policies: readonly Policy[];
  /** As an API server would ask: admission in both phases, mutating first, then validating on the result. */
  judge(input: Pick<ReviewInput, 'gate' | 'bytes'>, options?: JudgeOptions): Promise<Judgement | Fault>;
  close(): void;
}

export interface JudgeOptions {
  /** Milliseconds for each phase; as `timeoutSeconds` of a webhook. */
  readonly timeout?: number;
  /** Only this policy. */
  readonly policy?: string;
}

export interface Judgement {
  readonly gate: ReviewInput['gate'];
  readonly outcome: Decision['outcome'];
  /** Of admission the mutating phase, and the validating one unless the first denied; of other gates one. */
  readonly decisions: readonly Decision[];
  readonly patch: JsonPatch;
  /** The object after the mutating phase. */
  readonly object?: JsonDocument;
}

export interface OfflineOptions {
  readonly sources: readonly DocumentSource[];
  /** Besides files, inline and URLs. */
  readonly modules?: readonly ModuleSource[];
  readonly namespaceLabels?: NamespaceLabels;
  /** What policies may ask of the host; absent: nothing. */
  readonly capabilities?: HostCapabilities;
  readonly log: Logger;
  readonly onDecision?: (record: DecisionRecord) => void;
}

const MAX_MODULE_BYTES = 32 * 1024 * 1024;
const DEFAULT_TIMEOUT = 10_000;

export async function createOfflineServer(options: OfflineOptions): Promise<OfflineServer> {
  const clock: Clock = { now: () => performance.now(), wall: () => Date.now() };
  const { capabilities } = options;
  const host: EngineHost = {
    runtime: createWasmRuntime({ clock }),
    clock,
    log: options.log,
    ...(capabilities === undefined ? {} : { capabilities }),
  };
  const engines: ReadonlyMap<EngineName, Engine> = ENGINES;
  const chain = createChain({
    engines,
    host,
    namespaceLabels: options.namespaceLabels ?? (() => undefined),
    observer: { decided: (record) => options.onDecision?.(record), refused: () => undefined },
  });
  const loader = createPolicyLoader({
    sources: options.sources,
    modules: createModuleResolver(
      [
        createFileModuleSource({ maxModuleBytes: MAX_MODULE_BYTES }),
        inlineModuleSource,
        createUrlModuleSource({
          maxModuleBytes: MAX_MODULE_BYTES,
          timeout: 30_000,
          allowPrivate: true,
          allowWithoutDigest: false,
        }),
        ...(options.modules ?? []),
      ],
      MAX_MODULE_BYTES,
    ),
    engines,
    host,
    publish: (set: PolicySet) => chain.install(set),
  });
  const report = await loader.reload();

  async function askPhase(review: Review, phase: Phase, only: Policy | undefined): Promise<Decision | Fault> {
    if (only === undefined) return chain.decide(review, { phase, withObject });
    if (only.spec.phase !== phase) return nothingSaid(chain.revision);
    return chain.decide(review, { phase, policy: only.metadata.name, withObject });
  }

  async function judgeAdmission(
    bytes: Uint8Array,
    timeout: number,
    only: Policy | undefined,
  ): Promise<Judgement | Fault> {
    const parsed = parseAdmissionReview(bytes, clock.now() + timeout);
    if (isFault(parsed)) return parsed;
    const mutate = await askPhase(parsed.review, 'mutate', only);
    if (isFault(mutate)) return mutate;
    const mutated = afterPatch(parsed.review, mutate.patch ?? []);
    if (isFault(mutated)) return mutated;
    const shown = {
      gate: 'admission' as const,
      patch: mutate.patch ?? [],
      ...(mutated.object === undefined ? {} : { object: mutated.object }),
    };
    if (mutate.outcome === 'deny') return { ...shown, outcome: 'deny', decisions: [mutate] };
    const validate = await askPhase({ ...mutated, deadline: clock.now() + timeout }, 'validate', only);
    return isFault(validate)
      ? validate
      : { ...shown, outcome: validate.outcome, decisions: [mutate, validate] };
  }

  async function askToken(parsed: ParsedTokenReview | Fault, asking: Asking): Promise<Decision | Fault> {
    if (isFault(parsed)) return parsed;
    return chain.decideAccess(parsed.review, { ...asking, audiences: { wanted: parsed.audiences, own: [] } });
  }

  async function askAccess(parsed: ParsedAccessReview | Fault, asking: Asking): Promise<Decision | Fault> {
    return isFault(parsed) ? parsed : chain.decideAccess(parsed.review, asking);
  }

  async function judgeAccess(
    gate: AccessGate,
    bytes: Uint8Array,
    { timeout, policy }: { readonly timeout: number; readonly policy?: string },
  ): Promise<Judgement | Fault> {
    const context = { uid: randomUUID(), deadline: clock.now() + timeout };
    const asking = policy === undefined ? {} : { policy };
    const decision =
      gate === 'authentication'
        ? await askToken(parseTokenReview(bytes, context), asking)
        : await askAccess(parseAccessReview(bytes, context), asking);
    return isFault(decision)
      ? decision
      : { gate, outcome: decision.outcome, decisions: [decision], patch: [] };
  }

  async function judge(
    { gate, bytes }: Pick<ReviewInput, 'gate' | 'bytes'>,
    { timeout = DEFAULT_TIMEOUT, policy }: JudgeOptions = {},
  ): Promise<Judgement | Fault> {
    const only = loader.policies().find(({ metadata }) => metadata.name === policy);
    if (policy !== undefined && only === undefined) {
      return new Fault('PC_NOT_FOUND', `there is no policy \`${policy}\``);
    }
    if (gate === 'admission') return judgeAdmission(bytes, timeout, only);
    return judgeAccess(gate, bytes, { timeout, ...(policy === undefined ? {} : { policy }) });
  }

  return { report, policies: loader.policies(), judge, close: () => chain.close() };
}

/** The review as the validating phase sees it. */
function afterPatch(review: Review, patch: JsonPatch): Review | Fault {
  if (patch.length === 0 || review.object === undefined) return review;
  const object = applyJsonPatch(review.object.value(), patch);
  return isFault(object) ? object : withObject(review, object);
}

/** The decision of a phase that has no policy to ask. */
function nothingSaid(revision: number): Decision {
  return { outcome: 'allow', causes: [], warnings: [], auditAnnotations: {}, contributions: [], revision };
}
