import type { GateLimits, GateTls } from '../http/gate-listener.ts';
import type { Config } from '../config/config.ts';
import type { NamespaceTable } from '../namespace-labels.ts';
import type { TlsMaterial } from '../tls/tls-material.ts';

/** What a gate thread is started with. Structured-cloneable. */
export interface GateThreadData {
  readonly limits: GateLimits;
  /** Absent: plain HTTP. */
  readonly tls?: GateTls;
  readonly namespaces: NamespaceTable;
  /** Of the API server. */
  readonly audiences: readonly string[];
  readonly logLevel: Config['log']['level'];
  /** Namespace in which no policy of Kubewarden's is asked. */
  readonly acceptNamespace?: string;
}

export function gateThreadData(
  config: Config,
  material: TlsMaterial | undefined,
  followed: NamespaceTable = {},
): GateThreadData {
  const { serving, namespaces, log, kubewarden } = config;
  const { acceptNamespace } = kubewarden;
  const { maxBodyBytes, maxBufferedBytes, maxConnections, maxConcurrentReviews } = serving;
  const { headersTimeout, requestTimeout, keepAliveTimeout, tls } = serving;
  return {
    limits: {
      maxBodyBytes,
      maxBufferedBytes,
      maxConnections,
      maxConcurrentReviews,
      headersTimeout,
      requestTimeout,
      keepAliveTimeout,
    },
    ...(material === undefined
      ? {}
      : { tls: { material, minVersion: tls.minVersion, requireClientCert: tls.requireClientCert } }),
    namespaces: { ...namespaces, ...followed },
    audiences: serving.audiences,
    logLevel: log.level,
    ...(acceptNamespace === undefined ? {} : { acceptNamespace }),
  };
}
