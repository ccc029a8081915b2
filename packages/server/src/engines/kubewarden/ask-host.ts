import { isFault, type Fault } from '../../kernel/fault.ts';
import { callCapability } from '../host-capabilities.ts';
import { logEvent } from './guest-log.ts';
import type { KubewardenCall } from './kubewarden-call.ts';

/** What a guest asks of its host: `kubewarden`, a namespace, an operation of it, and a document. */
export interface HostQuestion {
  readonly binding: string;
  readonly namespace: string;
  readonly operation: string;
  readonly payload: Uint8Array;
  readonly deadline: number;
}

/** A text is an error, in the words that guests of Kubewarden know. */
export type HostAnswer = Uint8Array | string;

const BINDING = 'kubewarden';
const NAMESPACES = ['kubernetes', 'oci', 'net', 'crypto'];
const NOTHING = new Uint8Array(0);
/** Codes whose message is Kubewarden's own; others are failures of what was asked. */
const VERBATIM = ['PC_CAPABILITY_DENIED', 'PC_CAPABILITY_UNKNOWN'];

export async function askHost(call: KubewardenCall, question: HostQuestion): Promise<HostAnswer> {
  const { binding, namespace, operation, payload, deadline } = question;
  if (binding !== BINDING) return `unknown binding: ${binding}`;
  // A log line needs no grant, and one that cannot be read is no reason to fail.
  if (namespace === 'tracing') {
    if (operation !== 'log') return `unknown operation: ${operation}`;
    logEvent(call, payload);
    return NOTHING;
  }
  if (!NAMESPACES.includes(namespace)) {
    call.asks?.capabilities?.refused?.(undefined);
    return `unknown namespace: ${namespace}`;
  }
  const isFirst = !call.hasAsked;
  call.hasAsked = true;
  if (call.asks === undefined) return 'the host cannot be asked while a policy starts';
  const { capabilities, grants } = call.asks;
  const answer = await callCapability(capabilities, grants, {
    capability: `${namespace}/${operation}`,
    payload,
    policy: call.policy,
    deadline,
  });
  if (!isFault(answer)) return answer;
  if (answer.code === 'PC_CAPABILITY_UNKNOWN') return `unknown operation: ${operation}`;
  if (isFirst) report(call, answer);
  return VERBATIM.includes(answer.code) ? answer.message : `Callback evaluation failure: ${answer.message}`;
}

/** Once in each run, since a guest may ask a thousand times. */
function report({ log, policy }: KubewardenCall, { code, message, data }: Fault): void {
  const { capability } = data;
  log.log.log('warn', 'a policy did not get what it asked of the host', {
    policy,
    code,
    ...(code === 'PC_CAPABILITY_DENIED' ? { capability, message } : {}),
  });
}
