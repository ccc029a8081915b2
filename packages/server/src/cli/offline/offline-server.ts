import { performance } from 'node:perf_hooks';
import type { Decision, DecisionRecord, EngineName, JsonPatch, Policy } from '@portcullis/contract';
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
import type { DocumentSource } from '../../sources/source.ts';
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
  readonly outcome: 'allow' | 'deny';
  readonly mutate: Decision;
  /** Absent when the mutating phase denied. */
  readonly validate?: Decision;
  readonly patch: JsonPatch;
  /** The object after the mutating phase, as JSON text. */
  readonly object?: string;
}

export interface OfflineOptions {
  readonly sources: readonly DocumentSource[];
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
        createFileModuleSource(MAX_MODULE_BYTES),
        inlineModuleSource,
        createUrlModuleSource({
          maxModuleBytes: MAX_MODULE_BYTES,
          timeout: 30_000,
          allowPrivate: true,
          allowWithoutDigest: false,
        }),
      ],
      MAX_MODULE_BYTES,
    ),
    engines,
    host,
    publish: (set: PolicySet) => chain.install(set),
  });
  const report = await loader.reload();

  async function judge(bytes: Uint8Array, judged: JudgeOptions = {}): Promise<Judgement | Fault> {
    const timeout = judged.timeout ?? DEFAULT_TIMEOUT;
    const parsed = parseAdmissionReview(bytes, clock.now() + timeout);
    if (isFault(parsed)) return parsed;
    const named = judged.policy === undefined ? {} : { policy: judged.policy };
    const only = loader.policies().find(({ metadata }) => metadata.name === judged.policy);
    const skipped = (phase: string): boolean => only !== undefined && only.spec.phase !== phase;

    const mutate = skipped('mutate')
      ? nothingSaid(chain.revision)
      : await chain.decide(parsed.review, { phase: 'mutate', withObject, ...named });
    if (isFault(mutate)) return mutate;
    const patch = mutate.patch ?? [];
    const object = parsed.review.object?.value();
    const patched = object === undefined || patch.length === 0 ? object : applyJsonPatch(object, patch);
    if (isFault(patched)) return patched;
    const shown = patched === undefined ? {} : { object: JSON.stringify(patched, undefined, 2) };
    if (mutate.outcome === 'deny') return { outcome: 'deny', mutate, patch, ...shown };

    const current =
      patch.length === 0 || patched === undefined ? parsed.review : withObject(parsed.review, patched);
    const review = { ...current, deadline: clock.now() + timeout };
    const validate = skipped('validate')
      ? nothingSaid(chain.revision)
      : await chain.decide(review, { phase: 'validate', withObject, ...named });
    if (isFault(validate)) return validate;
    return { outcome: validate.outcome, mutate, validate, patch, ...shown };
  }

  return { report, policies: loader.policies(), judge, close: () => chain.close() };
}

/** The decision of a phase that has no policy to ask. */
function nothingSaid(revision: number): Decision {
  return { outcome: 'allow', causes: [], warnings: [], auditAnnotations: {}, contributions: [], revision };
}
