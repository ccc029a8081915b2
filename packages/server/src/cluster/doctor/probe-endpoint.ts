import { request } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, type TLSSocket } from 'node:tls';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { EndpointOutcome } from './cluster-facts.ts';
import type { Address } from './endpoint-name.ts';

export interface ProbeOptions {
  readonly address: Address;
  /** PEM of the authorities; absent: those that Node trusts. */
  readonly caBundle: string | undefined;
  readonly paths: readonly string[];
  /** Milliseconds for one request. */
  readonly timeout: number;
}

export type ProbeEndpoint = (options: ProbeOptions) => Promise<EndpointOutcome | Fault>;

interface Exchange {
  readonly status: number;
  readonly handshake: Omit<EndpointOutcome, 'paths'>;
}

/**
 * Calls each path without a body, which the gate refuses, over HTTP/1.1 as API servers do. The certificate is looked at but
 * not insisted on. PC_ENDPOINT_UNREACHABLE when there is no connection at all.
 */
export const probeEndpoint: ProbeEndpoint = async (options) => {
  let handshake: Exchange['handshake'] | undefined;
  const paths: EndpointOutcome['paths'][number][] = [];
  let failure: Fault | undefined;
  for (const path of options.paths) {
    const exchange = await call(options, path);
    if (isFault(exchange)) failure = exchange;
    else handshake = exchange.handshake;
    paths.push({ path, status: isFault(exchange) ? exchange : exchange.status });
  }
  if (handshake !== undefined) return { ...handshake, paths };
  return failure ?? new Fault('PC_ENDPOINT_UNREACHABLE', 'there is no path to call');
};

function call(options: ProbeOptions, path: string): Promise<Exchange | Fault> {
  const { address, caBundle, timeout } = options;
  const { promise, resolve } = Promise.withResolvers<Exchange | Fault>();
  let handshake: Exchange['handshake'] | undefined;
  const failed = (reason: string): void =>
    resolve(new Fault('PC_ENDPOINT_UNREACHABLE', `\`${address.host}:${address.port}\`: ${reason}`));
  const outgoing = request({
    host: address.host,
    port: address.port,
    path,
    method: 'POST',
    agent: false,
    signal: AbortSignal.timeout(timeout),
    headers: { 'content-type': 'application/json', 'content-length': '0', host: address.name },
    rejectUnauthorized: false,
    // As Go does: a certificate that is registered itself needs no issuer.
    allowPartialTrustChain: true,
    // The name is compared below, so that a wrong name and a wrong chain are told apart.
    checkServerIdentity: () => undefined,
    ...(caBundle === undefined ? {} : { ca: caBundle }),
    ...(isIP(address.name) === 0 ? { servername: address.name } : {}),
  });
  outgoing.once('socket', (socket) => {
    socket.once('secureConnect', () => {
      handshake = readHandshake(socket as TLSSocket, address.name);
    });
  });
  outgoing.once('error', (error: NodeJS.ErrnoException) => {
    failed(error.name === 'AbortError' ? `no answer within ${timeout} ms` : (error.code ?? error.message));
  });
  outgoing.once('response', (incoming) => {
    incoming.resume();
    if (handshake === undefined) failed('the connection has no certificate');
    else resolve({ status: incoming.statusCode ?? 0, handshake });
    outgoing.destroy();
  });
  outgoing.end();
  return promise;
}

function readHandshake(socket: TLSSocket, name: string): Exchange['handshake'] {
  const certificate = socket.getPeerCertificate();
  // Documented as an Error, in fact the code of OpenSSL.
  const problem: unknown = socket.authorizationError;
  return {
    name,
    chainProblem: socket.authorized ? undefined : String(problem),
    hasName: checkServerIdentity(name, certificate) === undefined,
    names: (certificate.subjectaltname ?? '').replaceAll('IP Address:', '').replaceAll('DNS:', ''),
    notBefore: Date.parse(certificate.valid_from),
    notAfter: Date.parse(certificate.valid_to),
  };
}
