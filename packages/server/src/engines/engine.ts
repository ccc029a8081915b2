import type { EngineName, GateName, JsonValue, Policy, Review, Verdict } from '@portcullis/contract';
import type { Fault } from '../kernel/fault.ts';
import type { Clock, Logger } from '../kernel/ports.ts';
import type { ModuleInfo } from '../wasm/module-info.ts';
import type { WasmRuntime } from '../wasm/wasm-runtime.ts';
import type { HostCapabilities } from './host-capabilities.ts';

/**
 * How one kind of module is run. `M` is what compiling makes: shared by every policy with the same bytes, structured-cloneable,
 * made once in the control thread and sent to the gate threads.
 */
export interface Engine<M extends object = object> {
  readonly name: EngineName;
  /** Gates whose reviews its modules understand; absent: all but `authentication` and `authorization`. */
  readonly gates?: ReadonlySet<GateName>;
  readonly phrases: FaultPhrases;
  /** Whether a module looks like one of this engine's; asked only when the policy names no engine. */
  detect(info: ModuleInfo, bytes: Uint8Array): boolean;
  /** What it is recognised by, for people. */
  readonly expects?: string;
  /** What a module of this engine can do, for people. */
  describe?(info: ModuleInfo): string;
  /**
   * What else a module says of itself, for people and tools. Runs it where there is no other way; what it does not say, or not before
   * it fails, is left out.
   */
  examine?(module: M, host: EngineHost): Promise<readonly Trait[]>;
  compile(bytes: Uint8Array): Promise<M | Fault>;
  /** Load-time trial with the policy's own limits and settings, so that what cannot start is refused, not deployed. */
  admit(module: M, policy: Policy, host: EngineHost): Promise<Fault | undefined>;
  open(module: M, policy: Policy, host: EngineHost): Evaluator;
}

/** One thing that a module says of itself or asks for. */
export interface Trait {
  readonly name: string;
  readonly value: JsonValue;
  /** For people; the name stands before each. */
  readonly lines: readonly string[];
}

/**
 * How a client reads of a fault in this engine's dialect; the fault's own text follows after a colon. `{policy}` stands for the
 * name of the policy.
 */
export interface FaultPhrases {
  /** Under failurePolicy Fail: the start of the denial. */
  readonly refused: string;
  /** Under failurePolicy Ignore: the start of the warning. */
  readonly ignored: string;
  /** Reason code of the denial. */
  readonly reason: string;
}

/** What one thread offers to its engines. */
export interface EngineHost {
  readonly runtime: WasmRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  /** Random bytes for guests; cryptographic when absent. */
  readonly random?: (bytes: Uint8Array) => void;
  /** What policies may ask of the host, where they are granted it; nothing when absent. */
  readonly capabilities?: HostCapabilities;
}

/** One loaded policy on one thread. */
export interface Evaluator {
  /** Total: garbage, traps and exhausted limits are fault verdicts; never rejects. */
  evaluate(review: Review, deadline: number): Promise<Evaluation>;
  close(): void;
}

export interface Evaluation {
  readonly verdict: Verdict;
  readonly fuel: number;
  readonly memoryBytes: number;
}
