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
import { createChain } from '../../chain/chain.ts';
import { createPolicyLoader, type ReloadReport } from '../../chain/policy-loader.ts';
import type { PolicySet } from '../../chain/policy-set.ts';
import type { Engine, EngineHost } from '../../engines/engine.ts';
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

/** The server without its sockets: the same loader, engines, chain and gate parser, on this thread. */
export interface OfflineServer {
  readonly report: ReloadReport;
  readonly policies: readonly Policy[];
  /** Both phases as an API server would ask them: mutating first, then validating on the result. */
  judge(review: Uint8Array, options?: JudgeOptions): Promise<Judgement | Fault>;
  close(): void;
}

export interface JudgeOptions {
  /** Milliseconds for each phase; as `timeoutSeconds` of a webhook. */
  readonly timeout?: number;
  /** Only this policy. */
  readonly policy?: string;
}

export interface Judgement {
  readonly outcome: Decision['outcome'];
  readonly mutate: Decision;
  /** Absent when the mutating phase denied. */
  readonly validate?: Decision;
  readonly patch: JsonPatch;
  /** The object after the mutating phase. */
  readonly object?: JsonDocument;
}

export interface OfflineOptions {
  readonly sources: readonly DocumentSource[];
  /** Besides files, inline and URLs. */
  readonly modules?: readonly ModuleSource[];
  readonly namespaceLabels?: NamespaceLabels;
  readonly log: Logger;
  readonly onDecision?: (record: DecisionRecord) => void;
}

const MAX_MODULE_BYTES = 32 * 1024 * 1024;
const DEFAULT_TIMEOUT = 10_000;

export async function createOfflineServer(options: OfflineOptions): Promise<OfflineServer> {
  const clock: Clock = { now: () => performance.now(), wall: () => Date.now() };
  const host: EngineHost = { runtime: createWasmRuntime({ clock }), clock, log: options.log };
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

  async function judge(bytes: Uint8Array, { timeout = DEFAULT_TIMEOUT, policy }: JudgeOptions = {}) {
    const parsed = parseAdmissionReview(bytes, clock.now() + timeout);
    if (isFault(parsed)) return parsed;
    const only = loader.policies().find(({ metadata }) => metadata.name === policy);
    if (policy !== undefined && only === undefined) {
      return new Fault('PC_NOT_FOUND', `there is no policy \`${policy}\``);
    }
    const mutate = await askPhase(parsed.review, 'mutate', only);
    if (isFault(mutate)) return mutate;
    const mutated = afterPatch(parsed.review, mutate.patch ?? []);
    if (isFault(mutated)) return mutated;
    const shown = {
      patch: mutate.patch ?? [],
      ...(mutated.object === undefined ? {} : { object: mutated.object }),
    };
    if (mutate.outcome === 'deny') return { outcome: 'deny' as const, mutate, ...shown };
    const validate = await askPhase({ ...mutated, deadline: clock.now() + timeout }, 'validate', only);
    return isFault(validate) ? validate : { outcome: validate.outcome, mutate, validate, ...shown };
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
