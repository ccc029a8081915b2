import type { CapabilityRequest, HostCapabilities } from '../../engines/host-capabilities.ts';
import { beforeDeadline, CAPABILITY_LIMITS, createPlaces } from '../../capabilities/create-capabilities.ts';
import { Fault } from '../../kernel/fault.ts';
import type { Runtime } from '../../kernel/ports.ts';
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
  const waiting = new Map<number, (answer: Uint8Array | Fault) => void>();
  const places = createPlaces(CAPABILITY_LIMITS);
  let last = 0;

  async function ask(request: CapabilityRequest): Promise<Uint8Array | Fault> {
    const { capability, payload, policy, deadline } = request;
    const id = (last += 1);
    const { promise, resolve } = Promise.withResolvers<Uint8Array | Fault>();
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
      const busy = places.take(request.policy);
      if (busy !== undefined) return busy;
      try {
        return await ask(request);
      } finally {
        places.leave(request.policy);
      }
    },
    answered({ id, answer }) {
      waiting.get(id)?.('message' in answer ? new Fault(answer.code, answer.message) : answer);
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
  return {
    type: 'host-answer',
    id,
    answer: answer instanceof Fault ? { code: answer.code, message: answer.message } : answer,
  };
}
