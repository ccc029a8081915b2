import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GateResponse } from '../../gates/gate.ts';
import type { RequestHead } from './parse-request-head.ts';
import { discardBody, readBody } from './read-body.ts';
import { CLOSE, OVERFLOWN, OVERLOADED, tooLarge, type Refusal } from './refusal.ts';
import type { ReviewIntake } from './review-intake.ts';

export interface RequestListenerOptions {
  readonly intake: ReviewIntake;
  readonly maxBodyBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Whether this connection is one too many. */
  readonly isOverflow: (socket: Duplex) => boolean;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A body that is too large is read on up to this many times the limit, so that the client sees the answer. */
const DISCARD_FACTOR = 8;

/** The requests that `node:http` reads: all that are not the plain ones of a fast connection. */
export function createRequestListener({ intake, maxBodyBytes, now, isOverflow }: RequestListenerOptions): {
  readonly onRequest: Listener;
  readonly onCheckContinue: Listener;
} {
  const { gauge } = intake;

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const received = now();
    const head = headOf(request);
    const refusal = check(request, head) ?? (gauge.enter(head.contentLength) ? undefined : OVERLOADED);
    if (refusal !== undefined) {
      refuse(request, response, refusal);
      return;
    }
    let held = head.contentLength;
    readBody(request, {
      check(bytes, total) {
        if (total <= head.contentLength) return undefined;
        if (total > maxBodyBytes) return tooLarge(maxBodyBytes);
        if (!gauge.grow(bytes)) return OVERLOADED;
        held += bytes;
        return undefined;
      },
      refused(reason) {
        gauge.leave(held);
        refuse(request, response, reason);
      },
      aborted: () => gauge.leave(held),
      done(body) {
        void intake
          .answer({ head, body, received })
          .then((answer) => write(response, answer))
          .finally(() => gauge.leave(held));
      },
    });
  }

  function onCheckContinue(request: IncomingMessage, response: ServerResponse): void {
    const head = headOf(request);
    const refusal = check(request, head);
    // The body was not sent yet, and a client that gets no `100 Continue` may keep it: the connection has to end.
    if (refusal !== undefined) {
      write(response, intake.refuse({ ...refusal, headers: { ...refusal.headers, ...CLOSE } }, head.path));
    } else {
      response.writeContinue();
      onRequest(request, response);
    }
  }

  function check(request: IncomingMessage, head: RequestHead): Refusal | undefined {
    return intake.check(head) ?? (isOverflow(request.socket) ? OVERFLOWN : undefined);
  }

  function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    write(response, intake.refuse(refusal, headOf(request).path));
    discardBody(request, maxBodyBytes * DISCARD_FACTOR);
  }

  return { onRequest, onCheckContinue };
}

function headOf({ method = '', url = '', headers }: IncomingMessage): RequestHead {
  const end = url.indexOf('?');
  const traceParent = headers['traceparent'];
  return {
    method,
    path: end < 0 ? url : url.slice(0, end),
    query: end < 0 ? '' : url.slice(end + 1),
    contentLength: Number(headers['content-length'] ?? 0),
    contentType: headers['content-type'],
    traceParent: typeof traceParent === 'string' ? traceParent : undefined,
  };
}

function write(response: ServerResponse, { status, headers, body }: GateResponse): void {
  const lines = ['content-length', String(Buffer.byteLength(body))];
  for (const name in headers) lines.push(name, headers[name] ?? '');
  response.writeHead(status, lines);
  response.end(body);
}
