import type { CapabilityName } from '../../engines/host-capabilities.ts';
import type { FaultCode } from '../../kernel/fault.ts';
import type { LogLevel } from '../../kernel/ports.ts';
import type { NamespaceChanges } from '../namespace-labels.ts';
import type { TlsMaterial } from '../tls/tls-material.ts';
import type { PolicySetMessage } from './policy-set-message.ts';

/** From the control thread to a gate thread. */
export type ToThread =
  | { readonly type: 'install'; readonly set: PolicySetMessage }
  /** Since the thread was started. */
  | { readonly type: 'namespaces'; readonly changes: NamespaceChanges }
  | { readonly type: 'tls'; readonly material: TlsMaterial }
  | { readonly type: 'listen'; readonly host: string; readonly port: number; readonly reusePort: boolean }
  | { readonly type: 'ping' }
  | HostAnswer
  /** From now on every answer ends its connection. */
  | { readonly type: 'end-connections' }
  /** Stop accepting, finish what is under way for at most `timeout` ms, report for the last time and end. */
  | { readonly type: 'close'; readonly timeout: number };

/** From a gate thread to the control thread. */
export type FromThread =
  | { readonly type: 'installed'; readonly revision: number }
  /** It goes on with the set that it had. */
  | { readonly type: 'not-installed'; readonly revision: number; readonly base: number }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'not-listening'; readonly code: string; readonly message: string }
  | { readonly type: 'pong' }
  | HostQuestion
  /** What the thread's telemetry has gathered since the last one. */
  | { readonly type: 'report'; readonly batch: unknown }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'closed' };

/** What a guest asks of the host. */
export interface HostQuestion {
  readonly type: 'host-question';
  /** Of the thread's own counting. */
  readonly id: number;
  readonly capability: CapabilityName;
  readonly payload: Uint8Array;
  readonly policy: string;
  /** Milliseconds that the guest has left. */
  readonly timeout: number;
}

export interface HostAnswer {
  readonly type: 'host-answer';
  readonly id: number;
  readonly answer: Uint8Array | { readonly code: FaultCode; readonly message: string };
  /** Of bytes that are shared and not copied: the same number for the same ones. */
  readonly state?: number;
}
