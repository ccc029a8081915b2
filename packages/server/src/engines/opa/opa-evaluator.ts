import type { JsonValue, Policy, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { remember } from '../../kernel/remember.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { createSandbox } from '../../wasm/sandbox.ts';
import type { EngineHost, Evaluation, Evaluator } from '../engine.ts';
import { loadBuiltins } from './host-builtin.ts';
import { ENTRY, opaAdapter } from './opa-adapter.ts';
import { createOpaCall, lengthOf, type OpaCall } from './opa-call.ts';
import type { OpaDialect, OpaSettings } from './opa-dialect.ts';
import { findEntrypoint } from './opa-entrypoint.ts';
import { isOneCall } from './opa-exports.ts';
import { OPA_HOST } from './opa-host.ts';
import { useOpaInstances } from './opa-instances.ts';
import { latin1Text } from './opa-memory.ts';
import { parseResult } from './opa-output.ts';

export interface OpaEvaluator extends Evaluator {
  /** Makes an instance when there is none, so that a module whose start fails is known before it serves. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** No other policy of the thread shares its instances yet. */
  readonly isFirst: boolean;
}

export interface OpaPolicy {
  readonly policy: Policy;
  readonly dialect: OpaDialect;
  readonly settings: OpaSettings;
}

/** Answers that are remembered for one policy: most say few different things, in few words. */
const MAX_ANSWERS = 64;
const MAX_REMEMBERED = 1024;

interface Readable {
  readonly value: JsonValue | Fault;
}

export function createOpaEvaluator(
  module: CompiledModule,
  { policy, dialect, settings }: OpaPolicy,
  host: EngineHost,
): OpaEvaluator {
  const { metadata, spec } = policy;
  const { shared, isFirst, release } = useOpaInstances(module, spec.limits, host, settings.data);
  const { description } = shared;
  const question = { description, data: [], policy: metadata.name };
  const oneCall = Number(isOneCall(module.info));
  const remembered = remember<Readable>(
    (text) => ({ value: parseResult(Buffer.from(text, 'latin1')) }),
    MAX_ANSWERS,
  );
  const sandbox = createSandbox<OpaCall>(module, {
    host: OPA_HOST,
    limits: spec.limits,
    runtime: host.runtime,
    stock: shared.stock,
    adapter: opaAdapter(),
  });

  async function prepare(deadline: number): Promise<Fault | undefined> {
    await loadBuiltins();
    const refused = await sandbox.prepare(deadline);
    if (refused !== undefined) return shared.startFault() ?? refused;
    const entrypoint = findEntrypoint(description.entrypoints, spec.entrypoint);
    return isFault(entrypoint) ? entrypoint : undefined;
  }

  return {
    prepare,
    isFirst,

    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      // Names of entry points are known once there has been an instance.
      const refused = description.entrypoints.size === 0 ? await prepare(deadline) : undefined;
      const entrypoint = refused ?? findEntrypoint(description.entrypoints, spec.entrypoint);
      if (isFault(entrypoint)) return { verdict: faulted(entrypoint), fuel: 0, memoryBytes: 0 };
      const input = [settings.head, review.request.bytes, settings.tail];
      const call = createOpaCall(host, { ...question, input });
      const run = await sandbox.run(ENTRY.evaluate, call, deadline, [lengthOf(input), entrypoint, oneCall]);
      if (isFault(run)) {
        const { fuel = 0, memoryBytes = 0 } = run.data as { fuel?: number; memoryBytes?: number };
        return { verdict: faulted(call.fault ?? startFault(run) ?? run), fuel, memoryBytes };
      }
      const { fuel, memoryBytes } = run;
      return { verdict: readVerdict(call, review), fuel, memoryBytes };
    },

    close() {
      sandbox.close();
      release();
    },
  };

  function startFault({ code }: Fault): Fault | undefined {
    return code === 'PC_WASM_START' ? shared.startFault() : undefined;
  }

  function read(result: Uint8Array): JsonValue | Fault {
    return result.length > MAX_REMEMBERED ? parseResult(result) : remembered(latin1Text(result)).value;
  }

  function readVerdict({ result }: OpaCall, review: Review): Verdict {
    const value =
      result === undefined ? new Fault('PC_OPA_RESULT', 'the policy gave no answer') : read(result);
    const verdict = isFault(value) ? value : dialect.verdict(value, review, spec.phase);
    return isFault(verdict) ? faulted(verdict) : verdict;
  }
}

function faulted({ code, message }: Fault): Verdict {
  return { outcome: 'fault', code, message };
}
