import type { JsonValue } from '@portcullis/contract';
import { Fault, isFault, type FaultCode } from '../kernel/fault.ts';
import { stringifyExact } from '../kernel/json/json-document.ts';
import { jsonEqual } from '../kernel/json/json-equal.ts';
import { parseJson } from '../kernel/json/parse-json.ts';
import type { CapabilityName, CapabilityRequest, HostCapabilities } from './host-capabilities.ts';

/** What a guest asked of the host and got, as it stands in a file; answers and requests may hold cluster objects. */
export interface RecordedCall {
  readonly capability: CapabilityName;
  /** Null when the guest sent nothing. */
  readonly request: JsonValue;
  readonly answer: RecordedAnswer;
}

export type RecordedAnswer =
  { readonly response: JsonValue } | { readonly error: string; readonly code: FaultCode };

/** Tells of every call that is answered. */
export function recordCapabilities(
  inner: HostCapabilities,
  onCall: (call: RecordedCall) => void,
): HostCapabilities {
  const told = new WeakSet<Uint8Array>();
  return {
    async call(request) {
      const answer = await inner.call(request);
      // An answer that stays the same is the same bytes.
      if (!isFault(answer)) {
        if (told.has(answer)) return answer;
        told.add(answer);
      }
      const asked = readJson(request.payload);
      if (!isFault(asked))
        onCall({ capability: request.capability, request: asked, answer: asAnswer(answer) });
      return answer;
    },
  };
}

/**
 * Answers what was answered before, and nothing else: the same request the same way each time, whatever the order. `onMissing` is
 * told of what is not there: a policy may make something else of it.
 */
export function replayCapabilities(
  recorded: readonly RecordedCall[],
  onMissing?: (fault: Fault) => void,
): HostCapabilities {
  const written = new Map<RecordedCall, Uint8Array>();
  return {
    async call(request) {
      const found = find(recorded, request, onMissing);
      if (isFault(found)) return found;
      const { answer } = found;
      if ('error' in answer) return new Fault(answer.code, answer.error);
      const bytes = written.get(found) ?? Buffer.from(stringifyExact(answer.response));
      written.set(found, bytes);
      return bytes;
    },
  };
}

/** Characters of a request that a message shows. */
const MAX_SHOWN = 500;

function find(
  recorded: readonly RecordedCall[],
  request: CapabilityRequest,
  onMissing: ((fault: Fault) => void) | undefined,
): RecordedCall | Fault {
  const { capability, payload } = request;
  const asked = readJson(payload);
  if (isFault(asked)) return new Fault('PC_CAPABILITY_INPUT', `the request is not JSON: ${asked.message}`);
  const found = recorded.find((call) => call.capability === capability && jsonEqual(call.request, asked));
  if (found !== undefined) return found;
  const shown = stringifyExact(asked).slice(0, MAX_SHOWN);
  const missing = new Fault(
    'PC_CAPABILITY_UNAVAILABLE',
    `no call of \`${capability}\` with the request \`${shown}\` was recorded`,
  );
  onMissing?.(missing);
  return missing;
}

function asAnswer(answer: Uint8Array | Fault): RecordedAnswer {
  if (isFault(answer)) return { error: answer.message, code: answer.code };
  const response = readJson(answer);
  return isFault(response)
    ? { error: 'the answer of the host was not JSON', code: 'PC_CAPABILITY_FAILED' }
    : { response };
}

function readJson(bytes: Uint8Array): JsonValue | Fault {
  return bytes.length === 0 ? null : parseJson(bytes);
}
