import type { Socket } from 'node:net';
import type { GateResponse } from '../../gates/gate.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { parseRequestHead, type RequestHead } from './parse-request-head.ts';
import { OVERLOADED } from './refusal.ts';
import { endsConnection, type ReviewIntake } from './review-intake.ts';
import type { TurnEnd } from './turn-end.ts';

export interface FastConnectionOptions {
  readonly intake: ReviewIntake;
  readonly writer: AnswerWriter;
  /** Of all connections, so that their answers go out together. */
  readonly turnEnd: TurnEnd;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds. */
  readonly timeouts: {
    readonly headers: number;
    readonly request: number;
    readonly keepAlive: number;
  };
  /** The connection is no longer this one's: closed, or handed over. */
  readonly left: () => void;
  /** Lets `node:http` serve the rest of the connection. */
  readonly serve: (socket: Socket) => void;
}

/** A request whose head was read. */
interface OpenRequest {
  readonly head: RequestHead;
  readonly received: number;
  /** False: there is no room for it, and its body is not kept. */
  readonly isAdmitted: boolean;
  readonly body: Buffer[];
  /** Bytes of the body that are to come. */
  missing: number;
}

/** A head in more pieces is for `node:http`: here it would be read anew with each of them. */
const MAX_HEAD_PIECES = 4;
const REQUEST_TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

/**
 * A connection as long as it carries plain `POST` requests, as that of an API server does; they are answered one after the other. At
 * the first other thing it goes to `node:http`, with all bytes that no answer was given to, and stays there: nothing is decided here
 * that `node:http` could see in another way.
 */
export class FastConnection {
  readonly #socket: Socket;
  readonly #options: FastConnectionOptions;
  #state: 'reading' | 'answering' | 'flushing' | 'idle' | 'left' = 'reading';
  /** Pieces of an unfinished head. */
  #unread: Buffer[] = [];
  #request: OpenRequest | undefined;
  /** When the first byte of the request came. */
  #started = 0;
  #deadline: number;

  constructor(socket: Socket, options: FastConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#deadline = options.now() + options.timeouts.headers;
    socket.on('data', this.#receive);
    socket.on('drain', this.#drained);
    socket.on('close', this.#closed);
  }

  /** To be called now and then: cuts a client that is too slow. */
  expire(now: number): void {
    if (now < this.#deadline) return;
    if (this.#state === 'reading') this.#socket.write(REQUEST_TIMEOUT);
    this.#socket.destroy();
  }

  /** Cuts the connection if it is between two requests. */
  cutIdle(): void {
    if (this.#state === 'idle') this.#socket.destroy();
  }

  readonly #receive = (piece: Buffer): void => {
    if (this.#request !== undefined) {
      this.#readBody(this.#request, piece);
      return;
    }
    if (this.#state === 'answering' || this.#state === 'flushing') {
      this.#putBack(piece);
      return;
    }
    const isFirst = this.#unread.push(piece) === 1;
    // Line breaks before a request are no part of it.
    if (isFirst && piece.every(isLineBreak)) this.#unread = [];
    else this.#readHead(piece);
  };

  /** The next request came before the answer to this one, and has to wait. */
  #putBack(piece: Buffer): void {
    this.#socket.pause();
    this.#socket.unshift(piece);
  }

  #readHead(piece: Buffer): void {
    const { intake, now, timeouts } = this.#options;
    const time = now();
    const pieces = this.#unread.length;
    if (pieces === 1) {
      this.#state = 'reading';
      this.#started = time;
      this.#deadline = time + timeouts.headers;
    }
    const bytes = pieces === 1 ? piece : Buffer.concat(this.#unread);
    const head = parseRequestHead(bytes);
    if (head === 'partial' && pieces < MAX_HEAD_PIECES) return;
    if (typeof head === 'string' || intake.check(head) !== undefined) {
      this.#handOver();
      return;
    }
    this.#unread = [];
    this.#deadline = this.#started + timeouts.request;
    this.#request = {
      head,
      received: time,
      isAdmitted: intake.gauge.enter(head.contentLength),
      body: [],
      missing: head.contentLength,
    };
    this.#readBody(this.#request, bytes.subarray(head.bodyStart));
  }

  #readBody(request: OpenRequest, piece: Buffer): void {
    const { missing, body, isAdmitted } = request;
    if (isAdmitted && piece.length > 0) body.push(piece);
    request.missing -= piece.length;
    if (request.missing > 0) return;
    if (request.missing < 0) this.#putBack(piece.subarray(missing));
    this.#request = undefined;
    this.#state = 'answering';
    this.#deadline = Infinity;
    void this.#answer(request);
  }

  async #answer({ head, body, received, isAdmitted }: OpenRequest): Promise<void> {
    const { intake, turnEnd } = this.#options;
    if (!isAdmitted) {
      this.#write(intake.refuse(OVERLOADED, head.path));
      return;
    }
    const { contentLength } = head;
    const [first] = body;
    const whole =
      first !== undefined && body.length === 1
        ? first.subarray(0, contentLength)
        : Buffer.concat(body, contentLength);
    const response = await intake.answer({ head, body: whole, received });
    intake.gauge.leave(contentLength);
    turnEnd.add(() => this.#write(response));
  }

  #write(response: GateResponse): void {
    const { writer, now, timeouts } = this.#options;
    // The client did not wait.
    if (!this.#socket.writable) return;
    const keepsUp = writer.write(this.#socket, response);
    this.#deadline = now() + timeouts.keepAlive;
    if (endsConnection(response)) this.#socket.destroySoon();
    else if (keepsUp) this.#turn();
    else this.#state = 'flushing';
  }

  readonly #drained = (): void => {
    if (this.#state === 'flushing') this.#turn();
  };

  /** The request is answered: the next one, please. */
  #turn(): void {
    this.#state = 'idle';
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  #handOver(): void {
    const socket = this.#socket;
    const bytes = Buffer.concat(this.#unread);
    this.#leave();
    socket.off('data', this.#receive).off('drain', this.#drained).off('close', this.#closed);
    socket.pause();
    // In a turn of its own, so that what is decrypted in this one comes after these bytes: `node:http` takes over the reading.
    setImmediate(() => {
      if (socket.destroyed) return;
      socket.unshift(bytes);
      this.#options.serve(socket);
      socket.resume();
    });
  }

  readonly #closed = (): void => {
    if (this.#request?.isAdmitted === true) {
      this.#options.intake.gauge.leave(this.#request.head.contentLength);
    }
    this.#leave();
  };

  #leave(): void {
    this.#state = 'left';
    this.#unread = [];
    this.#request = undefined;
    this.#options.left();
  }
}

function isLineBreak(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a;
}
