import { performance } from 'node:perf_hooks';
import type { Answer } from './answer-reader.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadOrder, LoadResult } from './load-protocol.ts';
import { quantile } from './statistics.ts';

/** Drives one server: every connection sends, waits for its answer and sends again, at once or when its next turn is due. */
export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const connections = await Promise.all(
    Array.from({ length: order.connections }, () => LoadConnection.open(order.port)),
  );
  const run = new LoadRun(order);
  const before = process.cpuUsage();
  const started = performance.now();
  await Promise.all(connections.map((connection, index) => run.drive(connection, index)));
  const elapsed = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  for (const connection of connections) connection.close();
  return { ...run.result(), ownLoad: (user + system) / 1000 / elapsed };
}

class LoadRun {
  readonly #order: LoadOrder;
  readonly #request: Buffer;
  readonly #expected: Buffer;
  readonly #from: number;
  readonly #until: number;
  /** Milliseconds between two requests of one connection; 0: none. */
  readonly #interval: number;
  readonly #latencies: number[] = [];
  #errors = 0;
  #firstError: string | undefined;

  constructor(order: LoadOrder) {
    if (order.allowed === undefined && order.expected === undefined)
      throw new TypeError('an order says what its answers have to say');
    this.#order = order;
    this.#request = requestBytes(order);
    this.#expected = Buffer.from(order.expected ?? `"allowed":${order.allowed === true}`);
    this.#from = performance.now() + (order.warmUp ?? 0);
    this.#until = this.#from + order.duration;
    this.#interval = order.rate === undefined ? 0 : (order.connections * 1000) / order.rate;
  }

  drive(connection: LoadConnection, index: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let due = performance.now() + (this.#interval * index) / this.#order.connections;
    let sentAt = 0;

    const send = (): void => {
      sentAt = performance.now();
      connection.send(this.#request, answered);
    };
    const answered = (answer: Answer | Error): void => {
      const now = performance.now();
      this.#check(answer);
      // A turn that came while the last answer was still awaited counts from when it was due.
      if (now >= this.#from && now < this.#until) this.#latencies.push(now - sentAt);
      if (now >= this.#until || answer instanceof Error) resolve();
      else next(now);
    };
    const next = (now: number): void => {
      if (this.#interval === 0) {
        send();
        return;
      }
      due += this.#interval;
      if (due > now) {
        setTimeout(send, due - now);
        return;
      }
      send();
      sentAt = due;
    };
    if (this.#interval === 0) send();
    else setTimeout(send, Math.max(0, due - performance.now()));
    return promise;
  }

  #check(answer: Answer | Error): void {
    if (!(answer instanceof Error) && answer.status === 200 && answer.body.includes(this.#expected)) return;
    this.#errors += 1;
    this.#firstError ??=
      answer instanceof Error ? answer.message : `${answer.status} ${answer.body.toString().slice(0, 400)}`;
  }

  result(): Omit<LoadResult, 'ownLoad'> {
    const sorted = Float64Array.from(this.#latencies).sort();
    return {
      requests: sorted.length,
      perSecond: (sorted.length / this.#order.duration) * 1000,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      max: sorted.at(-1) ?? Number.NaN,
      errors: this.#errors,
      ...(this.#firstError === undefined ? {} : { firstError: this.#firstError }),
    };
  }
}

/** The whole request as an API server sends it. */
export function requestBytes({
  path = '/admission/validate',
  port,
  body,
}: Pick<LoadOrder, 'path' | 'port' | 'body'>): Buffer {
  const head =
    `POST ${path}?timeout=10s HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nuser-agent: kube-apiserver-admission\r\n` +
    `accept: application/json, */*\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}
