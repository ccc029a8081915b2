import type { Writable } from 'node:stream';
import type { GateResponse } from '../../gates/gate.ts';
import { http } from '../../kernel/node-http.ts';
import { endsConnection } from './review-intake.ts';

const { STATUS_CODES } = http;

/** Writes answers as `node:http` does, each in one piece. */
export class AnswerWriter {
  readonly #kept: string;
  #second = 0;
  #date = '';

  /** Milliseconds, told to clients. */
  constructor(keepAliveTimeout: number) {
    const seconds = Math.floor(keepAliveTimeout / 1000);
    this.#kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n\r\n`;
  }

  /** What `socket.write` says: false, the client does not keep up. */
  write(socket: Writable, response: GateResponse): boolean {
    const { status, headers, body } = response;
    const length = Buffer.byteLength(body);
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\ncontent-length: ${length}\r\n`;
    for (const name in headers) text += `${name}: ${headers[name] ?? ''}\r\n`;
    text += `Date: ${this.#now()}\r\n`;
    text += endsConnection(response) ? '\r\n' : this.#kept;
    // Plain ASCII, as most answers are, is written without being encoded.
    return socket.write(text + body, length === body.length ? 'latin1' : 'utf8');
  }

  #now(): string {
    const wall = Date.now();
    const second = Math.floor(wall / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = new Date(wall).toUTCString();
    }
    return this.#date;
  }
}
