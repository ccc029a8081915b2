import type { Answer } from './answer-reader.ts';
import { LoadConnection } from './load-connection.ts';
import { requestBytes } from './run-load.ts';

/** Asks a server, one review after the other; for what is no load. */
export interface ReviewClient {
  /** Whether the review is allowed, as each connection tells it: enough of them reach every gate thread. */
  ask(body: string): Promise<readonly boolean[]>;
  close(): void;
}

export async function openReviewClient(port: number, count: number): Promise<ReviewClient> {
  const connections = await Promise.all(Array.from({ length: count }, () => LoadConnection.open(port)));
  return {
    ask(body) {
      const request = requestBytes({ port, body });
      return Promise.all(connections.map((connection) => askOn(connection, request)));
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
}

function askOn(connection: LoadConnection, request: Buffer): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  connection.send(request, (answer) => {
    try {
      resolve(isAllowed(answer));
    } catch (error) {
      reject(error);
    }
  });
  return promise;
}

function isAllowed(answer: Answer | Error): boolean {
  if (answer instanceof Error) throw answer;
  const text = answer.body.toString();
  const verdict = /"allowed":(true|false)/.exec(text)?.[1];
  if (answer.status !== 200 || verdict === undefined)
    throw new Error(`${answer.status} ${text.slice(0, 400)}`);
  return verdict === 'true';
}
