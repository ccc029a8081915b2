import type { Secret } from '../../kernel/secret.ts';

/** A PEM text, or the file that has it and may change. */
export type Material = { readonly text: Secret } | { readonly file: string };

export interface ExecPlugin {
  readonly apiVersion: 'client.authentication.k8s.io/v1' | 'client.authentication.k8s.io/v1beta1';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly provideClusterInfo: boolean;
  /** For people who lack the command. */
  readonly installHint?: string;
  /** Of the cluster, for the plugin alone. */
  readonly clusterConfig?: unknown;
}

/** How we log in. What is first in this order and present makes the `authorization` header. */
export interface UserSettings {
  readonly tokenFile?: string;
  readonly token?: Secret;
  readonly basic?: { readonly username: string; readonly password: Secret };
  readonly exec?: ExecPlugin;
  readonly certificate?: { readonly cert: Material; readonly key: Material };
  readonly impersonate?: {
    readonly user: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
}

/** What a kubeconfig or a pod says about the way to the API server; nothing is read yet. */
export interface ConnectionSettings {
  readonly server: string;
  readonly serverName?: string;
  readonly insecure: boolean;
  readonly ca?: Material;
  readonly proxy?: Secret;
  readonly namespace: string;
  readonly user: UserSettings;
}
