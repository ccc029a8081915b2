import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

/** Arguments of every peer: port, certificate file, key file. */
const [, , port = '0', certFile = '', keyFile = ''] = process.argv;

/** The least HTTPS server that node has: no limits, no routes, no error handling. */
export function serveReview(answer: (body: Buffer) => string): void {
  const options = {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    minVersion: 'TLSv1.3',
    keepAliveTimeout: 100_000,
  } as const;
  createServer(options, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = answer(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
      response.writeHead(200, [
        'content-type',
        'application/json',
        'content-length',
        String(Buffer.byteLength(text)),
      ]);
      response.end(text);
    });
  }).listen(Number(port), '127.0.0.1');
}

export function allowedReview(uid: string, allowed: boolean): string {
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"${uid}","allowed":${allowed}}}`;
}
