import { INVENTORY, type CapabilityRequest, type HostCapabilities } from '../../engines/host-capabilities.ts';
import { beforeDeadline, CAPABILITY_LIMITS, createPlaces } from '../../capabilities/create-capabilities.ts';
import { Fault } from '../../kernel/fault.ts';
import type { Runtime } from '../../kernel/ports.ts';
import { createSharedAnswers, readAnswer } from './shared-answers.ts';
import type { HostAnswer, HostQuestion } from './thread-messages.ts';

export interface ThreadCapabilities extends HostCapabilities {
  /** From the control thread. One that comes too late is dropped. */
  answered(answer: HostAnswer): void;
}

export interface ThreadCapabilitiesOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'after'>;
  readonly send: (question: HostQuestion) => void;
  /** Answers what needs nothing but the processor; undefined leaves it to the control thread. */
  readonly here: (request: CapabilityRequest) => Promise<Uint8Array | Fault> | undefined;
}

/** What guests of a gate thread ask of the host goes to the control thread, which has the connections and the caches. */
export function createThreadCapabilities(options: ThreadCapabilitiesOptions): ThreadCapabilities {
  const { runtime, send, here } = options;
  const waiting = new Map<number, (answer: HostAnswer) => void>();
  const shared = createSharedAnswers(runtime, ask);
  const places = createPlaces(CAPABILITY_LIMITS);
  let last = 0;

  async function ask(request: CapabilityRequest): Promise<HostAnswer | Fault> {
    const { capability, payload, policy, deadline } = request;
    const id = (last += 1);
    const { promise, resolve } = Promise.withResolvers<HostAnswer>();
    waiting.set(id, resolve);
    // Threads count from different zeros.
    const timeout = deadline - runtime.clock.now();
    send({ type: 'host-question', id, capability, payload, policy, timeout });
    try {
      return await beforeDeadline(promise, request, runtime);
    } finally {
      waiting.delete(id);
    }
  }

  return {
    async call(request) {
      const own = here(request);
      if (own !== undefined) return own;
      // The same for everybody who reads the same kinds, so a thousand reviews are one question.
      if (request.capability === INVENTORY) return shared.ask(request);
      const busy = places.take(request.policy);
      if (busy !== undefined) return busy;
      try {
        const answered = await ask(request);
        return answered instanceof Fault ? answered : readAnswer(answered);
      } finally {
        places.leave(request.policy);
      }
    },
    answered(answer) {
      waiting.get(answer.id)?.(answer);
    },
  };
}

/** In the control thread: the answer to a question, as a message. */
export async function answerQuestion(
  { id, capability, payload, policy, timeout }: HostQuestion,
  capabilities: HostCapabilities,
  now: number,
): Promise<HostAnswer> {
  const answer = await capabilities.call({ capability, payload, policy, deadline: now + timeout });
  if (answer instanceof Fault)
    return { type: 'host-answer', id, answer: { code: answer.code, message: answer.message } };
  const isShared = answer.buffer instanceof SharedArrayBuffer;
  return { type: 'host-answer', id, answer, ...(isShared ? { state: stateOf(answer) } : {}) };
}

const states = new WeakMap<Uint8Array, number>();
let lastState = 0;

function stateOf(bytes: Uint8Array): number {
  const state = states.get(bytes) ?? (lastState += 1);
  states.set(bytes, state);
  return state;
}
