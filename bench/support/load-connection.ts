import { connect, type TLSSocket } from 'node:tls';
import { AnswerReader, type Answer } from './answer-reader.ts';

/** One keep-alive connection with at most one request under way. */
export class LoadConnection {
  readonly #socket: TLSSocket;
  readonly #reader = new AnswerReader();
  #onAnswer: (answer: Answer | Error) => void = () => {};

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#onAnswer(error));
    socket.on('close', () => this.#onAnswer(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<LoadConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<LoadConnection>();
    // The certificate was made for this run; checking it is not what is measured.
    const socket = connect({
      host: '127.0.0.1',
      port,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      resolve(new LoadConnection(socket));
    });
    return promise;
  }

  send(request: Buffer, onAnswer: (answer: Answer | Error) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  close(): void {
    this.#onAnswer = () => {};
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    let answer: Answer | undefined;
    try {
      answer = this.#reader.push(chunk);
    } catch (error) {
      this.#onAnswer(error as Error);
      return;
    }
    if (answer !== undefined) this.#onAnswer(answer);
  }
}
