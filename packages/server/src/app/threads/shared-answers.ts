import { LRUCache } from 'lru-cache';
import { beforeDeadline } from '../../capabilities/create-capabilities.ts';
import type { CapabilityRequest } from '../../engines/host-capabilities.ts';
import { Fault } from '../../kernel/fault.ts';
import type { Runtime } from '../../kernel/ports.ts';
import type { HostAnswer } from './thread-messages.ts';

/** Questions that everybody who asks them gets the same answer to. */
export interface SharedAnswers {
  ask(request: CapabilityRequest): Promise<Uint8Array | Fault>;
}

/** As many different ones are remembered. */
const MAX_STATES = 256;

/**
 * One question at a time is under way for all who ask the same. The control thread is asked each time, but what it answers is shared
 * memory; as long as it is the same, whoever asks gets the same array.
 */
export function createSharedAnswers(
  runtime: Pick<Runtime, 'clock' | 'after'>,
  ask: (request: CapabilityRequest) => Promise<HostAnswer | Fault>,
): SharedAnswers {
  const asking = new Map<string, Promise<Uint8Array | Fault>>();
  const known = new LRUCache<string, { readonly state: number; readonly bytes: Uint8Array }>({
    max: MAX_STATES,
  });

  async function start(key: string, request: CapabilityRequest): Promise<Uint8Array | Fault> {
    try {
      const answered = await ask(request);
      const bytes = answered instanceof Fault ? answered : readAnswer(answered);
      if (answered instanceof Fault || bytes instanceof Fault || answered.state === undefined) return bytes;
      const last = known.get(key);
      if (last?.state === answered.state) return last.bytes;
      known.set(key, { state: answered.state, bytes });
      return bytes;
    } finally {
      asking.delete(key);
    }
  }

  return {
    async ask(request) {
      const key = Buffer.from(request.payload).toString('latin1');
      for (;;) {
        const isOwn = !asking.has(key);
        const running = asking.get(key) ?? start(key, request);
        asking.set(key, running);
        const answer = await beforeDeadline(running, request, runtime);
        // Whoever asked first had less time than this one has left.
        const isTheirs = answer instanceof Fault && answer.code === 'PC_CAPABILITY_TIMEOUT' && !isOwn;
        if (!isTheirs || runtime.clock.now() >= request.deadline) return answer;
      }
    },
  };
}

export function readAnswer({ answer }: HostAnswer): Uint8Array | Fault {
  return 'message' in answer ? new Fault(answer.code, answer.message) : answer;
}
