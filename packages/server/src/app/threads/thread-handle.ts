import { Worker } from 'node:worker_threads';
import type { FromThread, ToThread } from './thread-messages.ts';

export interface ThreadEvents {
  readonly message: (thread: ThreadHandle, message: FromThread) => void;
  /** The thread is gone, for whatever reason; `error` is what it threw. */
  readonly gone: (thread: ThreadHandle, error: unknown) => void;
}

/**
 * Room for what reviews leave behind: with V8's default of 16 MiB a busy thread collects several times a second, and each time
 * copies what is under way.
 */
const YOUNG_MIB = 48;

/** One gate thread as the control thread sees it. */
export class ThreadHandle {
  readonly startedAt: number;
  /** Revision that it has acknowledged; 0 before the first. */
  revision = 0;
  listening = false;
  /** It has come far enough to send anything. */
  hasSpoken = false;
  /** Pings without an answer. */
  missed = 0;
  readonly #worker: Worker;

  constructor(entry: URL, data: unknown, startedAt: number, events: ThreadEvents) {
    this.startedAt = startedAt;
    // Options of the command line, such as a test runner's, are not for this thread.
    this.#worker = new Worker(entry, {
      workerData: data,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    let thrown: unknown;
    this.#worker.on('message', (message: FromThread) => events.message(this, message));
    this.#worker.on('error', (error) => {
      thrown = error;
    });
    this.#worker.on('exit', () => events.gone(this, thrown));
  }

  send(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
