import { Fault, isFault } from '../../kernel/fault.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import type { HostCall, HostFunction, HostInterface } from '../../wasm/host-interface.ts';
import { resolveBuiltins } from './host-builtin.ts';
import { callBuiltin } from './opa-builtins.ts';
import { lengthOf, type Document, type OpaCall } from './opa-call.ts';
import { decodeText, viewText } from './opa-memory.ts';
import { OPA_PROBE } from './opa-probe.ts';

const MAX_ABORT_BYTES = 1024;
/** Of an answer, and of a line for the log. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const NO_FUNCTION = { params: [], results: [] } as const;

const READERS: readonly ((call: HostCall<OpaCall>, text: string) => Fault | undefined)[] = [
  ({ context }, text) => {
    context.result = text;
    return undefined;
  },
  ({ context }, text) => {
    const wanted = parseNumbers(text);
    if (isFault(wanted)) return wanted;
    context.description.wanted = wanted;
    return undefined;
  },
  ({ context }, text) => {
    const entrypoints = parseNumbers(text);
    if (isFault(entrypoints)) return entrypoints;
    context.description.entrypoints = entrypoints;
    // The last thing that it says: whoever asks what a module is hears all of it, also of one that is refused.
    const resolved = resolveBuiltins(context.description.wanted);
    if (isFault(resolved)) return resolved;
    context.description.builtins = resolved;
    return undefined;
  },
];

/**
 * What a module of OPA's imports. All that calls the module again is in the adapter, which asks here for the rest: `host.…` is
 * what it imports, and no module of a user can.
 */
export const OPA_HOST: HostInterface<OpaCall> = {
  env: {
    opa_abort: {
      type: { params: ['i32'], results: [] },
      call: (call, address) => {
        const text = viewText(call.memory, address, MAX_ABORT_BYTES);
        const reason = text === undefined ? 'without a readable reason' : decodeText(text);
        return end(call, new Fault('PC_OPA_ABORT', `the policy aborted: ${reason}`));
      },
    },
    opa_println: {
      type: { params: ['i32'], results: [] },
      call: ({ context, memory }, address) => {
        const text = viewText(memory, address, MAX_TEXT_BYTES);
        if (text !== undefined) context.print(decodeText(text));
      },
    },
    opa_builtin0: builtin(0),
    opa_builtin1: builtin(1),
    opa_builtin2: builtin(2),
    opa_builtin3: builtin(3),
    opa_builtin4: builtin(4),
  },

  host: {
    length: { type: NO_FUNCTION, call: ({ context }, what) => lengthOf(documentOf(context, what)) },
    write: {
      type: NO_FUNCTION,
      call: (call, what, address) => {
        const document = documentOf(call.context, what);
        const target = call.memory.view(address, lengthOf(document));
        if (target !== undefined) return put(document, target);
        end(call, new Fault('PC_OPA_RESULT', 'the policy made room for a document outside of its memory'));
      },
    },
    read: {
      type: NO_FUNCTION,
      call: (call, what, address, length) => {
        const text = length > MAX_TEXT_BYTES ? undefined : call.memory.latin1(address, length);
        const fault =
          text === undefined
            ? new Fault('PC_OPA_RESULT', 'its answer is too large or lies outside of its memory')
            : READERS[what]?.(call, text);
        if (isFault(fault)) end(call, fault);
      },
    },
    prove: {
      type: NO_FUNCTION,
      call: ({ context }, isAlike) => {
        context.description.isReadDirectly = isAlike !== 0;
      },
    },
    call: {
      type: NO_FUNCTION,
      call: (call, id, count, ...places) => {
        const answer = callBuiltin(call, id, places.slice(0, count * 2));
        if (isFault(answer)) return end(call, answer);
        if (answer === undefined) return -1;
        call.context.pending = [answer];
        return answer.length;
      },
    },
  },
};

/** What modules of users may import. */
export const OPA_IMPORTS: HostInterface<OpaCall> = { env: OPA_HOST['env'] ?? {} };

function builtin(operands: number): HostFunction<OpaCall> {
  const params = Array.from({ length: operands + 2 }, () => 'i32' as const);
  return { type: { params, results: ['i32'] }, byAdapter: true };
}

function documentOf({ data, input, pending }: OpaCall, what: number): Document {
  switch (what) {
    case 0:
      return data;
    case 1:
      return input;
    case 2:
      return pending;
    default:
      return OPA_PROBE;
  }
}

function put(document: Document, target: Uint8Array): void {
  let at = 0;
  for (const piece of document) {
    target.set(piece, at);
    at += piece.length;
  }
}

function end(call: HostCall<OpaCall>, fault: Fault): never {
  call.context.fault ??= fault;
  return call.exit(1);
}

/** `{"name": number, …}` */
function parseNumbers(text: string): ReadonlyMap<string, number> | Fault {
  const value = parseJson(Buffer.from(text, 'latin1'));
  const numbers = new Map<string, number>();
  const unreadable = new Fault(
    'PC_OPA_RESULT',
    'the module does not list its builtin functions or entry points',
  );
  if (isFault(value) || !isJsonObject(value)) return unreadable;
  for (const [name, number] of Object.entries(value)) {
    if (typeof number !== 'number' || !Number.isInteger(number)) return unreadable;
    numbers.set(name, number);
  }
  return numbers;
}
