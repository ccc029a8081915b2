import type { IncomingMessage } from 'node:http';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { KubeConnection, KubeIdentity } from '../connection/kube-connection.ts';
import { pause, type KubeRuntime } from '../kube-host.ts';
import { isAboutTrustFault } from './connection-fault.ts';
import { aborted, type Exchange, type Outgoing } from './exchange.ts';
import { readJson } from './read-body.ts';
import { retryAfterOf, serverFault } from './server-fault.ts';

export interface Sending extends Outgoing {
  /** Doing it twice does the same: a broken connection is tried again. */
  readonly idempotent: boolean;
  /** 1 never tries again, except with new credentials. */
  readonly attempts: number;
}

/** The answer of the server if it is a success; `any: true` passes every status except 401. */
export interface Transport {
  send(sending: Sending, any?: boolean): Promise<IncomingMessage | Fault>;
}

/** Milliseconds before the second attempt; doubled for each further one, with full jitter. */
const FIRST_PAUSE = 200;
/** A server that wants more patience than this gets no further attempt. */
const LONGEST_PAUSE = 10_000;
const ERROR_BODY = 64 * 1024;
const ERROR_SILENCE = 5000;

/** Credentials, the one renewal after a refusal, and attempts. */
export function createTransport(
  connection: KubeConnection,
  exchange: Exchange,
  runtime: KubeRuntime,
): Transport {
  /** A kept connection that the server closed meanwhile says nothing about the server. */
  async function exchanged(sending: Sending, identity: KubeIdentity): Promise<IncomingMessage | Fault> {
    const answer = await exchange.send(sending, identity);
    const isStale = isFault(answer) && answer.data['reused'] === true && sending.idempotent;
    return isStale ? exchanged(sending, identity) : answer;
  }

  async function authorised(sending: Sending): Promise<IncomingMessage | Fault> {
    const identity = await connection.identity();
    if (isFault(identity)) return identity;
    const answer = await exchanged(sending, identity);
    if (!isRefusal(answer)) return answer;
    const renewed = await connection.renew(identity);
    // The same again would be refused again, and counts as an attack in the server's log.
    if (isFault(renewed) || renewed === identity) return answer;
    if (!isFault(answer)) answer.resume();
    return exchanged(sending, renewed);
  }

  async function attempt(sending: Sending, any: boolean): Promise<IncomingMessage | Fault> {
    const answer = await authorised(sending);
    if (isFault(answer)) return answer;
    const status = answer.statusCode ?? 0;
    if ((status >= 200 && status < 300) || (any && status !== 401)) return answer;
    const reading = { runtime, outgoing: sending, silence: () => ERROR_SILENCE };
    const body = await readJson(answer, reading, ERROR_BODY);
    return serverFault(sending.what, {
      http: status,
      status: isFault(body) ? undefined : body,
      retryAfter: answer.headers['retry-after'],
    });
  }

  return {
    async send(sending, any = false) {
      const until = runtime.clock.now() + sending.timeout;
      for (let number = 1; ; number += 1) {
        const left = until - runtime.clock.now();
        const answer = await attempt({ ...sending, timeout: left }, any);
        if (!isFault(answer) || number >= sending.attempts) return answer;
        const wait = pauseBefore(number + 1, answer, sending.idempotent, runtime.random());
        if (wait === undefined || wait > LONGEST_PAUSE || runtime.clock.now() + wait >= until) return answer;
        await pause(runtime, wait, sending.signal);
        if (sending.signal?.aborted === true) return aborted(sending.what);
      }
    },
  };
}

function isRefusal(answer: IncomingMessage | Fault): boolean {
  return isFault(answer) ? isAboutTrustFault(answer) : answer.statusCode === 401;
}

/** Milliseconds; undefined when another attempt makes no sense. */
function pauseBefore(attempt: number, fault: Fault, idempotent: boolean, random: number): number | undefined {
  const jitter = random * FIRST_PAUSE * 2 ** (attempt - 2);
  // With Retry-After the server says that it did nothing (client-go: rest/with_retry.go).
  const retryAfter = retryAfterOf(fault);
  if (retryAfter !== undefined && (fault.code === 'PC_KUBE_THROTTLED' || fault.code === 'PC_KUBE_SERVER')) {
    return retryAfter * 1000 + jitter;
  }
  return idempotent && fault.code === 'PC_KUBE_UNREACHABLE' && !isAboutTrustFault(fault) ? jitter : undefined;
}
