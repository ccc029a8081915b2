import type { HostCall, HostFunction } from '../../wasm/host-interface.ts';
import { askHost, type HostAnswer } from './ask-host.ts';
import { logText } from './guest-log.ts';
import { MAX_OUTPUT_BYTES, type KubewardenCall } from './kubewarden-call.ts';

type Table = Readonly<Record<string, HostFunction<KubewardenCall>>>;
type Call = HostCall<KubewardenCall>;

/** More of an error text is not kept. */
const MAX_ERROR_BYTES = 16 * 1024;
const MAX_NAME_BYTES = 256;
const NOTHING = new Uint8Array(0);

const I32_2 = ['i32', 'i32'] as const;
/** binding, namespace, operation and payload, each a pointer and a length. */
export const HOST_CALL_TYPE = { params: Array.from({ length: 8 }, () => 'i32'), results: ['i32'] };

/** Ends the guest: there is no way to tell it, and its answer would be about something else. */
export function misused(call: Call, what: string): never {
  call.context.misuse ??= what;
  return call.exit(1);
}

/** The bytes of a pointer and a length, which must lie inside of the guest. */
function view(call: Call, name: string, pointer: number, length: number): Uint8Array {
  return (
    call.memory.view(pointer, length) ?? misused(call, `\`${name}\` got a pointer outside of its memory`)
  );
}

function copyInto(call: Call, name: string, pointer: number, bytes: Uint8Array): void {
  if (!call.memory.write(pointer, bytes)) misused(call, `\`${name}\` got a pointer outside of its memory`);
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** Reads what a guest asks, before it waits, and asks it. */
export function hostCall(call: Call, name: string, args: readonly number[]): Promise<HostAnswer> {
  const [binding = 0, bindingLength = 0, namespace = 0, namespaceLength = 0, ...rest] = args;
  const [operation = 0, operationLength = 0, payload = 0, payloadLength = 0] = rest;
  const names = [bindingLength, namespaceLength, operationLength];
  if (names.some((length) => length >>> 0 > MAX_NAME_BYTES) || payloadLength >>> 0 > MAX_OUTPUT_BYTES) {
    misused(call, `\`${name}\` got a name or a payload that is too long`);
  }
  return askHost(call.context, {
    binding: decode(view(call, name, binding, bindingLength)),
    namespace: decode(view(call, name, namespace, namespaceLength)),
    operation: decode(view(call, name, operation, operationLength)),
    payload: view(call, name, payload, payloadLength).slice(),
    deadline: call.deadline,
  });
}

/** Imports of waPC. */
export const WAPC_FUNCTIONS: Table = {
  // Both lengths were arguments of the call.
  __guest_request: {
    type: { params: I32_2, results: [] },
    call: (call, operationAt, payloadAt) => {
      const { operation, payload, payloadLength } = call.context;
      copyInto(call, '__guest_request', operationAt, operation);
      const target = view(call, '__guest_request', payloadAt, payloadLength);
      let at = 0;
      for (const piece of payload) {
        target.set(piece, at);
        at += piece.length;
      }
    },
  },
  __guest_response: {
    type: { params: I32_2, results: [] },
    call: (call, pointer, length) => {
      if (length >>> 0 > MAX_OUTPUT_BYTES) misused(call, 'its answer is too large');
      call.context.response = view(call, '__guest_response', pointer, length).slice();
    },
  },
  __guest_error: {
    type: { params: I32_2, results: [] },
    call: (call, pointer, length) => {
      const text = view(call, '__guest_error', pointer, length);
      call.context.error = decode(text.subarray(0, MAX_ERROR_BYTES));
    },
  },
  __host_call: {
    type: HOST_CALL_TYPE,
    async callAsync(call, ...args) {
      const { context } = call;
      context.hostResponse = NOTHING;
      context.hostError = NOTHING;
      const answer = await hostCall(call, '__host_call', args);
      if (typeof answer === 'string') context.hostError = Buffer.from(answer);
      else context.hostResponse = answer;
      return typeof answer === 'string' ? 0 : 1;
    },
  },
  __host_response_len: {
    type: { params: [], results: ['i32'] },
    call: ({ context }) => context.hostResponse.length,
  },
  __host_response: {
    type: { params: ['i32'], results: [] },
    call: (call, pointer) => copyInto(call, '__host_response', pointer, call.context.hostResponse),
  },
  __host_error_len: {
    type: { params: [], results: ['i32'] },
    call: ({ context }) => context.hostError.length,
  },
  __host_error: {
    type: { params: ['i32'], results: [] },
    call: (call, pointer) => copyInto(call, '__host_error', pointer, call.context.hostError),
  },
  __console_log: {
    type: { params: I32_2, results: [] },
    call: (call, pointer, length) => logText(call.context, view(call, '__console_log', pointer, length)),
  },
};
