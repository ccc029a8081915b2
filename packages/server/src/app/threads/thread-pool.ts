import type { PolicySet } from '../../chain/policy-set.ts';
import type { HostCapabilities } from '../../engines/host-capabilities.ts';
import { Fault } from '../../kernel/fault.ts';
import type { Clock, Logger } from '../../kernel/ports.ts';
import type { NamespaceChanges } from '../namespace-labels.ts';
import type { TlsMaterial } from '../tls/tls-material.ts';
import { encodePolicySet } from './policy-set-message.ts';
import { answerQuestion } from './thread-capabilities.ts';
import { ThreadHandle } from './thread-handle.ts';
import type { FromThread, HostQuestion } from './thread-messages.ts';

export interface ThreadPoolOptions {
  /** Module that runs in each thread and answers {@link ToThread}. */
  readonly entry: URL;
  /** What a new thread is started with, under the certificate that is in use then. */
  readonly threadData: (tls: TlsMaterial | undefined) => unknown;
  readonly threads: number;
  readonly host: string;
  /** 0: a free one, the same for all threads. */
  readonly port: number;
  /** Undefined: plain HTTP. */
  readonly tls: TlsMaterial | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly report: (batch: unknown) => void;
  /** What guests may ask of the host. */
  readonly capabilities: HostCapabilities;
  readonly timing?: ThreadTiming;
}

/** Milliseconds. */
export interface ThreadTiming {
  readonly heartbeat: number;
  /** A thread that leaves this many pings unanswered is replaced. */
  readonly maxMissed: number;
  /** Wait before a thread that died young is replaced; doubles from the first to the last. */
  readonly backoff: { readonly first: number; readonly last: number };
}

export interface ThreadPool {
  /** Resolves to the port when every thread listens; that is after the first set was installed. */
  readonly listening: Promise<number | Fault>;
  install(set: PolicySet): void;
  setTls(material: TlsMaterial): void;
  setNamespaces(changes: NamespaceChanges): void;
  /** Resolves when every thread has acknowledged the revision or a newer one; false when the pool closed before. */
  inForce(revision: number): Promise<boolean>;
  state(): ThreadPoolState;
  endConnections(): void;
  /** Resolves when every thread has finished and reported for the last time. */
  close(timeout: number): Promise<void>;
}

export interface ThreadPoolState {
  readonly wanted: number;
  /** Listening, with a policy set. */
  readonly alive: number;
  readonly replaced: number;
  /** Lowest revision that a thread decides by; 0 when one has none. */
  readonly revision: number;
}

const TIMING: ThreadTiming = { heartbeat: 1000, maxMissed: 10, backoff: { first: 100, last: 5000 } };
/** A thread that dies before this age counts as broken from the start. */
const YOUNG = 10_000;
/** Deaths in a row before the first thread ever listened, after which starting is given up. */
const MAX_FAILED_STARTS = 5;
/** A thread that still loads its code may leave this many times more pings unanswered. */
const START_PATIENCE = 6;
/** Past the time that a draining thread takes for itself before it is ended. */
const CLOSE_GRACE = 2000;

/** Starts the gate threads, keeps them equal, and replaces those that die or hang. */
export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const timing = options.timing ?? TIMING;
  const { clock, log } = options;
  const first = Promise.withResolvers<number | Fault>();
  const threads = new Set<ThreadHandle>();
  const waiting = new Set<{ readonly revision: number; readonly done: (reached: boolean) => void }>();
  const restarts = new Set<NodeJS.Timeout>();
  let wanted = options.threads;
  let set: PolicySet | undefined;
  let tls = options.tls;
  let { port } = options;
  let reusePort = true;
  /** With port 0 one thread asks first, and the others take the port that it got. */
  let asking: ThreadHandle | undefined;
  let started = false;
  let replaced = 0;
  let youngDeaths = 0;
  let closing: { readonly done: () => void } | undefined;

  function start(): void {
    const thread = new ThreadHandle(options.entry, options.threadData(tls), clock.now(), { message, gone });
    threads.add(thread);
    if (set !== undefined) thread.send({ type: 'install', set: encodePolicySet(set) });
  }

  function message(thread: ThreadHandle, received: FromThread): void {
    thread.hasSpoken = true;
    switch (received.type) {
      case 'installed':
        thread.revision = received.revision;
        if (!thread.listening) listen(thread);
        settle();
        break;
      case 'not-installed':
        notInstalled(thread, received);
        break;
      case 'listening':
        thread.listening = true;
        listens(thread, received.port);
        break;
      case 'not-listening':
        cannotListen(thread, received);
        break;
      case 'pong':
        thread.missed = 0;
        break;
      case 'host-question':
        void answer(thread, received);
        break;
      case 'report':
        options.report(received.batch);
        break;
      case 'log':
        log.log(received.level, received.message, received.fields);
        break;
      case 'closed':
        // Its last report came before this message; what may still be running in it answers nobody.
        void thread.terminate();
        break;
    }
  }

  /** A thread that is gone meanwhile takes no messages, and nobody waits in it. */
  async function answer(thread: ThreadHandle, question: HostQuestion): Promise<void> {
    thread.send(await answerQuestion(question, options.capabilities, clock.now()));
  }

  /** Without the one before it a change means nothing, so the whole set is sent; what fails as a whole is not sent again. */
  function notInstalled(thread: ThreadHandle, { revision, base }: { revision: number; base: number }): void {
    log.log('error', 'a gate thread could not install a policy set', { code: 'PC_THREAD', revision });
    if (base !== 0 && set !== undefined) thread.send({ type: 'install', set: encodePolicySet(set) });
  }

  function listen(thread: ThreadHandle): void {
    if (port === 0) {
      if (asking !== undefined) return;
      asking = thread;
    }
    thread.send({ type: 'listen', host: options.host, port, reusePort });
  }

  function listens(thread: ThreadHandle, taken: number): void {
    if (thread === asking) {
      asking = undefined;
      port = taken;
      for (const other of threads) if (other !== thread && other.revision > 0) listen(other);
    }
    settle();
    if (!started && state().alive === wanted) {
      started = true;
      first.resolve(port);
    }
  }

  function cannotListen(
    thread: ThreadHandle,
    { code, message: text }: { readonly code: string; readonly message: string },
  ): void {
    if (code === 'ENOTSUP' && reusePort) {
      log.log('warn', 'this platform cannot share a port between threads: one gate thread serves alone');
      reusePort = false;
      wanted = 1;
      asking = undefined;
      for (const other of threads) if (other !== thread) discard(other);
      listen(thread);
      return;
    }
    const fault = new Fault('PC_LISTEN', `cannot listen on ${options.host}:${port}: ${text}`);
    if (!started) first.resolve(fault);
    else log.log('error', fault.message, { code: fault.code });
    void thread.terminate();
  }

  /** Takes a thread out without replacing it. */
  function discard(thread: ThreadHandle): void {
    threads.delete(thread);
    void thread.terminate();
  }

  function gone(thread: ThreadHandle, error: unknown): void {
    // One that was discarded.
    if (!threads.delete(thread)) return;
    if (asking === thread) asking = undefined;
    settle();
    if (closing !== undefined) {
      if (threads.size === 0) closing.done();
      return;
    }
    replaced += 1;
    const isYoung = clock.now() - thread.startedAt < YOUNG;
    youngDeaths = isYoung ? youngDeaths + 1 : 0;
    const reason = error instanceof Error ? (error.stack ?? error.message) : 'it ended';
    log.log('error', 'a gate thread died and is replaced', { code: 'PC_THREAD', reason, replaced });
    if (!started && youngDeaths >= MAX_FAILED_STARTS) {
      first.resolve(new Fault('PC_THREAD', `gate threads die as they start: ${messageOf(error)}`));
      return;
    }
    const { first: shortest, last } = timing.backoff;
    // The first death of a row is made good at once.
    const wait = youngDeaths <= 1 ? 0 : Math.min(last, shortest * 2 ** (youngDeaths - 2));
    const restart = setTimeout(() => {
      restarts.delete(restart);
      start();
    }, wait);
    restarts.add(restart);
  }

  /** Whoever waits for a revision that is in force now. */
  function settle(): void {
    const { revision } = state();
    for (const waiter of waiting) {
      if (revision < waiter.revision) continue;
      waiting.delete(waiter);
      waiter.done(true);
    }
  }

  function state(): ThreadPoolState {
    const all = [...threads];
    // A missing thread decides nothing, so it holds nothing back; none at all is revision 0.
    const revision = all.length === 0 ? 0 : Math.min(...all.map((thread) => thread.revision));
    return { wanted, alive: all.filter((thread) => thread.listening).length, replaced, revision };
  }

  // Counted in beats, not in time: a control thread that was busy itself must not take its own delay for a thread's.
  const heart = setInterval(() => {
    for (const thread of threads) {
      const patience = thread.hasSpoken ? 1 : START_PATIENCE;
      if (thread.missed >= timing.maxMissed * patience) {
        log.log('error', 'a gate thread does not answer and is ended', { code: 'PC_THREAD' });
        void thread.terminate();
      } else {
        thread.missed += 1;
        thread.send({ type: 'ping' });
      }
    }
  }, timing.heartbeat).unref();

  for (let index = 0; index < wanted; index += 1) start();

  return {
    listening: first.promise,
    install(next) {
      // Every thread has been sent the set before, or has it still in its way.
      const change = encodePolicySet(next, set);
      set = next;
      for (const thread of threads) thread.send({ type: 'install', set: change });
    },
    setNamespaces(changes) {
      for (const thread of threads) thread.send({ type: 'namespaces', changes });
    },
    setTls(material) {
      tls = material;
      for (const thread of threads) thread.send({ type: 'tls', material });
    },
    inForce(revision) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiting.add({ revision, done: resolve });
      settle();
      return promise;
    },
    state,
    endConnections() {
      for (const thread of threads) thread.send({ type: 'end-connections' });
    },
    async close(timeout) {
      const { promise, resolve } = Promise.withResolvers<void>();
      closing = { done: resolve };
      clearInterval(heart);
      for (const restart of restarts) clearTimeout(restart);
      for (const thread of threads) thread.send({ type: 'close', timeout });
      if (threads.size === 0) resolve();
      const late = setTimeout(() => {
        for (const thread of threads) void thread.terminate();
      }, timeout + CLOSE_GRACE);
      await promise;
      clearTimeout(late);
      for (const waiter of waiting) waiter.done(false);
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no error was reported';
}
