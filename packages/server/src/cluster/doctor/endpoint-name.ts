import type { Endpoint } from '../registration/registration-options.ts';

/** What a client connects to, and the name that the certificate must have. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly name: string;
}

export function addressOf(endpoint: Endpoint): Address {
  if ('service' in endpoint) {
    const { name, namespace, port = 443 } = endpoint.service;
    const host = `${name}.${namespace}.svc`;
    return { host, port, name: host };
  }
  const { hostname, port } = new URL(endpoint.url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: port === '' ? 443 : Number(port), name: host };
}

/** For people and for comparison. */
export function endpointName(endpoint: Endpoint): string {
  if ('url' in endpoint) return new URL(endpoint.url).origin;
  const { name, namespace, port = 443 } = endpoint.service;
  return `service ${namespace}/${name}:${port}`;
}
