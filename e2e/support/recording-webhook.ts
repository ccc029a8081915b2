import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Identity } from './certificates.ts';
import { at } from './kubernetes-objects.ts';

export interface RecordingWebhook {
  readonly url: string;
  /** `CREATE pods/status`, with the path of the call before it, oldest first. */
  readonly calls: string[];
  close(): void;
}

/** Admits everything, and remembers what it was asked. */
export async function startRecordingWebhook(identity: Identity): Promise<RecordingWebhook> {
  const calls: string[] = [];
  const server = createServer(
    { cert: identity.certificatePem, key: identity.keyPem },
    (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const review: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null');
        const subresource = at(review, 'request', 'subResource');
        const resource = String(at(review, 'request', 'resource', 'resource'));
        const what = typeof subresource === 'string' ? `${resource}/${subresource}` : resource;
        const [path = ''] = (incoming.url ?? '').split('?');
        calls.push(`${path} ${String(at(review, 'request', 'operation'))} ${what}`);
        outgoing.setHeader('content-type', 'application/json');
        outgoing.end(
          JSON.stringify({
            apiVersion: 'admission.k8s.io/v1',
            kind: 'AdmissionReview',
            response: { uid: at(review, 'request', 'uid'), allowed: true },
          }),
        );
      });
    },
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    calls,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
