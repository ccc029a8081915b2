import type { Fault } from '../../kernel/fault.ts';
import type { Secret } from '../../kernel/secret.ts';

/** Who we are and whom we trust, as of now. The same object as long as nothing changed. */
export interface KubeIdentity {
  /** PEM of the authorities; absent: those that Node trusts. */
  readonly ca?: string;
  /** PEM of the client certificate and its key. */
  readonly certificate?: { readonly cert: string; readonly key: Secret };
  /** The `authorization` header. */
  readonly authorization?: Secret;
}

/** The way to one API server. Lives as long as the client; what it reads is read again by itself. */
export interface KubeConnection {
  /** `https://host:port`, perhaps with a path, without a slash at the end. */
  readonly server: string;
  /** Of the context or of our pod; `default` when neither says. */
  readonly namespace: string;
  /** Name in the server's certificate, when it is not the host of the URL. */
  readonly serverName?: string;
  /** The server's certificate is not checked. */
  readonly insecure: boolean;
  /** `http://…` or `https://…` of a proxy that tunnels by CONNECT. */
  readonly proxy?: Secret;
  /** Further headers of every request: impersonation. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  identity(): Promise<KubeIdentity | Fault>;
  /** The server refused this one, or we its certificate: files are read and plugins run again. The newest, perhaps unchanged. */
  renew(refused: KubeIdentity): Promise<KubeIdentity | Fault>;
}
