import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers in place of the registry, or says `false` and leaves it to the registry. */
export type Interfere = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What stands between a client and a real registry, and may do wrong. */
export interface RegistryProxy {
  readonly host: string;
  interfere: Interfere;
  close(): Promise<void>;
}

export async function startRegistryProxy(target: { readonly port: number }): Promise<RegistryProxy> {
  const server = createServer((request, response) => {
    if (proxy.interfere(request, response)) return;
    const { method, url, headers } = request;
    const onward = httpRequest(
      { host: '127.0.0.1', port: target.port, method, path: url, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: RegistryProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    interfere: () => false,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return proxy;
}
