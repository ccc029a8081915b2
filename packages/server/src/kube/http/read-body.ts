import type { IncomingMessage } from 'node:http';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { KubeRuntime } from '../kube-host.ts';
import { exchangeFault, type Outgoing } from './exchange.ts';

export interface BodyReading {
  readonly runtime: KubeRuntime;
  /** What was asked, for messages. */
  readonly outgoing: Pick<Outgoing, 'what' | 'signal'>;
  /** Milliseconds without a byte that end it. */
  readonly silence: () => number;
}

/** Feeds every chunk in order. Undefined at the end of the body, or the fault that ended it; one from `onChunk` does, too. */
export async function readChunks(
  answer: IncomingMessage,
  { runtime, outgoing, silence }: BodyReading,
  onChunk: (chunk: Buffer) => Fault | undefined,
): Promise<Fault | undefined> {
  const guard = guardSilence(runtime, silence, () => {
    const text = `${outgoing.what}: nothing came for ${silence() / 1000} s`;
    answer.destroy(new Fault('PC_KUBE_TIMEOUT', text, { data: { answered: true } }));
  });
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      guard.heard();
      const fault = onChunk(chunk);
      // Leaving the loop destroys the answer and with it the connection.
      if (fault !== undefined) return fault;
    }
    return undefined;
  } catch (error) {
    return exchangeFault(outgoing, error, { answered: true });
  } finally {
    guard.stop();
  }
}

export async function readText(
  answer: IncomingMessage,
  reading: BodyReading,
  maxBytes: number,
): Promise<string | Fault> {
  const chunks: Buffer[] = [];
  let length = 0;
  const fault = await readChunks(answer, reading, (chunk) => {
    length += chunk.length;
    if (length > maxBytes) {
      return new Fault(
        'PC_KUBE_ANSWER',
        `${reading.outgoing.what}: the answer is larger than ${maxBytes} bytes`,
      );
    }
    chunks.push(chunk);
    return undefined;
  });
  return fault ?? Buffer.concat(chunks).toString('utf8');
}

/** Undefined text is a body that is no JSON. */
export async function readJson(
  answer: IncomingMessage,
  reading: BodyReading,
  maxBytes: number,
): Promise<unknown> {
  const text = await readText(answer, reading, maxBytes);
  if (isFault(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return new Fault('PC_KUBE_ANSWER', `${reading.outgoing.what}: the answer is not JSON`);
  }
}

/** One timer for a stream, however many chunks come. */
function guardSilence(
  { clock, after }: KubeRuntime,
  limit: () => number,
  onSilence: () => void,
): { heard(): void; stop(): void } {
  let last = clock.now();
  const look = (): void => {
    const left = last + limit() - clock.now();
    if (left <= 0) onSilence();
    else cancel = after(left, look);
  };
  let cancel = after(limit(), look);
  return {
    heard: () => {
      last = clock.now();
    },
    stop: () => cancel(),
  };
}
