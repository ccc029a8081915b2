import type { MessagePort } from 'node:worker_threads';
import type { PolicySet } from '../../chain/policy-set.ts';
import type { GateListener } from '../http/gate-listener.ts';
import { decodePolicySet, type PolicySetMessage } from './policy-set-message.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

/** What a gate thread is made of. */
export interface ThreadParts {
  readonly listener: GateListener;
  readonly install: (set: PolicySet) => void;
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

  function install(set: PolicySetMessage): void {
    try {
      parts.install(decodePolicySet(set));
      send({ type: 'installed', revision: set.revision });
    } catch (error) {
      parts.failed(error);
    }
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
        install(message.set);
        break;
      case 'tls':
        parts.listener.setTls(message.material);
        break;
      case 'listen':
        void listen(message);
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
