import type { JsonValue, Policy, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { remember } from '../../kernel/remember.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import type { EngineHost, Evaluation, Evaluator } from '../engine.ts';
import type { InventoryQuestion } from '../inventory.ts';
import { discreetHost } from '../review-secrets.ts';
import { kubewardenRequest } from '../kubewarden-request.ts';
import { ENTRY } from './opa-adapter.ts';
import { createOpaCall, lengthOf, type OpaCall } from './opa-call.ts';
import type { OpaDialect, OpaSettings } from './opa-dialect.ts';
import { findEntrypoint } from './opa-entrypoint.ts';
import { hasSteps, isOneCall } from './opa-exports.ts';
import { fixedSource, followInventory, openGuests, type OpaGuests } from './opa-guests.ts';
import { parseResult } from './opa-output.ts';

export interface OpaEvaluator extends Evaluator {
  /** Makes an instance when there is none, so that a module whose start fails is known before it serves. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** No other policy of the thread shares its instances yet. */
  readonly isFirst: boolean;
}

export interface OpaModule extends CompiledModule {
  /** It has metadata of Kubewarden, and is asked about requests as that writes them: without what is null or unknown. */
  readonly isForKubewarden: boolean;
}

export interface OpaPolicy {
  readonly policy: Policy;
  readonly dialect: OpaDialect;
  readonly settings: OpaSettings;
  /** What it sees of the cluster; undefined: nothing. */
  readonly inventory: InventoryQuestion | undefined;
}

/** Answers that are remembered for one policy: most say few different things, in few words. */
const MAX_ANSWERS = 64;
const MAX_REMEMBERED = 1024;

interface Readable {
  readonly value: JsonValue | Fault;
}

export function createOpaEvaluator(
  module: OpaModule,
  { policy, dialect, settings, inventory }: OpaPolicy,
  host: EngineHost,
): OpaEvaluator {
  const { metadata, spec } = policy;
  const start = { module, limits: spec.limits, host };
  const source =
    inventory === undefined
      ? fixedSource(openGuests(start, settings.data))
      : followInventory(start, inventory, settings.around);
  const ways = [Number(isOneCall(module.info)), Number(hasSteps(module.info))];
  const remembered = remember<Readable>((text) => ({ value: parseLatin1(text) }), MAX_ANSWERS);

  async function prepare(deadline: number): Promise<Fault | undefined> {
    // A policy that reads the cluster is tried without anything in it: what is there is known when it is asked.
    const guests = source.fixed ?? openGuests(start, settings.around.join('{}'));
    const refused = await guests.prepare(deadline);
    const entrypoint = refused ?? findEntrypoint(guests.description.entrypoints, spec.entrypoint);
    if (guests !== source.fixed) guests.close();
    return isFault(entrypoint) ? entrypoint : undefined;
  }

  return {
    prepare,
    isFirst: source.fixed?.isFirst ?? false,

    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      const request = requestOf(review);
      if (isFault(request)) return unevaluated(request);
      const guests = source.fixed ?? (await source.current(deadline));
      if (isFault(guests)) return unevaluated(guests);
      const { description } = guests;
      // Names of entry points are known once there has been an instance.
      const refused = description.entrypoints.size === 0 ? await guests.prepare(deadline) : undefined;
      const entrypoint = refused ?? findEntrypoint(description.entrypoints, spec.entrypoint);
      if (isFault(entrypoint)) return unevaluated(entrypoint);
      const input = [settings.head, request, settings.tail];
      const call = createOpaCall(discreetHost(host, review), {
        description,
        data: [],
        input,
        policy: metadata.name,
      });
      const args = [lengthOf(input), entrypoint, ...ways];
      const run = await guests.sandbox.run(ENTRY.evaluate, call, deadline, args);
      if (isFault(run)) return failed(run, call, guests);
      const { fuel, memoryBytes } = run;
      return { verdict: readVerdict(call, review), fuel, memoryBytes };
    },

    close: () => source.close(),
  };

  function requestOf(review: Review): Uint8Array | Fault {
    if (review.isRaw === true && !dialect.takesRaw) {
      return new Fault('PC_OPA_RAW', 'Gatekeeper does not support raw validation requests');
    }
    return module.isForKubewarden ? kubewardenRequest(review) : review.request.bytes;
  }

  function read(result: string): JsonValue | Fault {
    return result.length > MAX_REMEMBERED ? parseLatin1(result) : remembered(result).value;
  }

  function readVerdict({ result }: OpaCall, review: Review): Verdict {
    const value =
      result === undefined ? new Fault('PC_OPA_RESULT', 'the policy gave no answer') : read(result);
    const verdict = isFault(value) ? value : dialect.verdict(value, review, spec.phase);
    return isFault(verdict) ? faulted(verdict) : verdict;
  }
}

function parseLatin1(text: string): JsonValue | Fault {
  return parseResult(Buffer.from(text, 'latin1'));
}

function failed(run: Fault, { fault }: OpaCall, guests: OpaGuests): Evaluation {
  const { fuel = 0, memoryBytes = 0 } = run.data as { fuel?: number; memoryBytes?: number };
  const start = run.code === 'PC_WASM_START' ? guests.startFault() : undefined;
  return { verdict: faulted(fault ?? start ?? run), fuel, memoryBytes };
}

function unevaluated(fault: Fault): Evaluation {
  return { verdict: faulted(fault), fuel: 0, memoryBytes: 0 };
}

function faulted({ code, message }: Fault): Verdict {
  return { outcome: 'fault', code, message };
}
