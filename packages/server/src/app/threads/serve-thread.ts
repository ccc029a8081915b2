import type { MessagePort } from 'node:worker_threads';
import type { PolicySet } from '../../chain/policy-set.ts';
import { BESIDE_OTHERS, inSlices, UNDISTURBED } from '../../kernel/in-slices.ts';
import type { Clock } from '../../kernel/ports.ts';
import type { GateListener } from '../http/gate-listener.ts';
import type { NamespaceChanges } from '../namespace-labels.ts';
import { decodePolicySet, type PolicySetMessage } from './policy-set-message.ts';
import type { FromThread, HostAnswer, ToThread } from './thread-messages.ts';

/** What a gate thread is made of. */
export interface ThreadParts {
  readonly listener: GateListener;
  readonly clock: Clock;
  /** Resolves when the set decides; its order of calls is kept. */
  readonly install: (set: PolicySet) => Promise<void>;
  readonly setNamespaces: (changes: NamespaceChanges) => void;
  /** What a guest asked of the control thread. */
  readonly answered: (answer: HostAnswer) => void;
  /** What telemetry has gathered; undefined when there is nothing. */
  readonly flush: () => unknown;
  /** An install that threw; the thread goes on with the set that it had. */
  readonly failed: (error: unknown) => void;
}

/** Milliseconds between two reports. */
const REPORT_INTERVAL = 250;

/** Answers the control thread until it says `close`. */
export function serveThread(control: MessagePort, parts: ThreadParts): void {
  const send = (message: FromThread): void => control.postMessage(message);
  const report = (): void => {
    const batch = parts.flush();
    if (batch !== undefined) send({ type: 'report', batch });
  };
  let held: PolicySet | undefined;
  let installing: Promise<void> = Promise.resolve();
  const timer = setInterval(report, REPORT_INTERVAL).unref();

  async function listen(message: ToThread & { readonly type: 'listen' }): Promise<void> {
    try {
      const { host, port, reusePort } = message;
      send({ type: 'listening', port: await parts.listener.listen({ host, port, reusePort }) });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      send({ type: 'not-listening', code, message: error instanceof Error ? error.message : String(error) });
    }
  }

  async function install(message: PolicySetMessage): Promise<void> {
    const { revision, base } = message;
    try {
      const pace = held === undefined ? UNDISTURBED : BESIDE_OTHERS;
      const set = await inSlices(decodePolicySet(message, held), parts.clock, pace);
      if (set !== undefined) {
        await parts.install(set);
        held = set;
        send({ type: 'installed', revision });
        return;
      }
    } catch (error) {
      parts.failed(error);
    }
    send({ type: 'not-installed', revision, base });
  }

  async function close(timeout: number): Promise<void> {
    await parts.listener.close(timeout);
    clearInterval(timer);
    report();
    send({ type: 'closed' });
    control.close();
  }

  control.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'install':
        // One after the other: each changes what the last one has left.
        installing = installing.then(() => install(message.set));
        break;
      case 'namespaces':
        parts.setNamespaces(message.changes);
        break;
      case 'tls':
        parts.listener.setTls(message.material);
        break;
      case 'listen':
        void listen(message);
        break;
      case 'host-answer':
        parts.answered(message);
        break;
      case 'ping':
        send({ type: 'pong' });
        break;
      case 'end-connections':
        parts.listener.endConnections();
        break;
      case 'close':
        void close(message.timeout);
        break;
    }
  });
}
