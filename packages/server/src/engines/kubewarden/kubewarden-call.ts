import type { Logger } from '../../kernel/ports.ts';
import { CollectedOutput, createWasiContext, type WasiContext } from '../../wasm/wasi/wasi-context.ts';
import type { Grants, HostCapabilities } from '../host-capabilities.ts';
import type { EngineHost } from '../engine.ts';
import { StandardError } from '../standard-error.ts';

/** What one run exchanges with its guest, in either mode. */
export interface KubewardenCall extends WasiContext {
  readonly policy: string;
  readonly log: GuestLog;
  /** Undefined: nothing is asked of the host in this run. */
  readonly asks: HostAccess | undefined;
  /** The guest wanted something of the host, granted or not. */
  hasAsked: boolean;
  /** What the guest did with its host that it must not; it was ended then. */
  misuse: string | undefined;

  /** Of waPC. */
  readonly operation: Uint8Array;
  readonly payload: readonly Uint8Array[];
  readonly payloadLength: number;
  response: Uint8Array | undefined;
  error: string | undefined;
  hostResponse: Uint8Array;
  hostError: Uint8Array;

  /** Of programs. */
  readonly args: readonly string[];
  /** The pieces of standard input; what the host answers is appended. */
  readonly input: Uint8Array[];
  /** Bytes that the host may still append to it. */
  inputLeft: number;
  readonly output: CollectedOutput;
  readonly diagnosis: StandardError;
}

export interface HostAccess {
  readonly capabilities: HostCapabilities | undefined;
  readonly grants: Grants;
}

/** Where lines of a guest go; a guest that is asked about a Secret might tell it. */
export interface GuestLog {
  readonly log: Logger;
  readonly isQuiet: boolean;
  /** Bytes of lines that the run may still write. */
  left: number;
}

export interface CallOptions {
  /** The name that log lines get. */
  readonly policy: string;
  readonly operation?: string;
  readonly payload?: readonly Uint8Array[];
  readonly args?: readonly string[];
  readonly stdin?: readonly Uint8Array[];
  readonly maxOutputBytes?: number;
  readonly access?: HostAccess;
  readonly isQuiet?: boolean;
}

/** Bytes of an answer when the policy says nothing else. */
export const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Of all answers of the host to one run of a program: four of the largest. They stay until it ends, read or not. */
const MAX_APPENDED_BYTES = 64 * 1024 * 1024;
const MAX_LOG_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);

export function createKubewardenCall(host: EngineHost, options: CallOptions): KubewardenCall {
  const { clock, log, random } = host;
  const output = new CollectedOutput(options.maxOutputBytes ?? MAX_OUTPUT_BYTES);
  const diagnosis = new StandardError();
  const payload = options.payload ?? [];
  const input = [...(options.stdin ?? [])];
  const context = createWasiContext({
    clock,
    log,
    policy: options.policy,
    stdin: input,
    stdout: output,
    stderr: diagnosis,
    ...(random === undefined ? {} : { random }),
  });
  return {
    ...context,
    policy: options.policy,
    log: { log, isQuiet: options.isQuiet ?? false, left: MAX_LOG_BYTES },
    asks: options.access,
    hasAsked: false,
    misuse: undefined,
    operation: Buffer.from(options.operation ?? ''),
    payload,
    payloadLength: payload.reduce((sum, { length }) => sum + length, 0),
    response: undefined,
    error: undefined,
    hostResponse: NOTHING,
    hostError: NOTHING,
    args: options.args ?? [],
    input,
    inputLeft: MAX_APPENDED_BYTES,
    output,
    diagnosis,
  };
}
