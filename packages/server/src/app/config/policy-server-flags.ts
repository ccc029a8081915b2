/** One flag of Kubewarden's policy-server, and the variable that its controller sets instead. */
export interface PolicyServerFlag {
  readonly flag: string;
  readonly variable: string;
  /** What its value is; absent: a switch. */
  readonly value?: string;
  readonly does: FlagEffect;
}

type FlagEffect =
  /** Sets a key, as it is written or in another form. */
  | { readonly key: string; readonly as?: 'seconds' | 'logLevel' | 'logFormat' }
  /** Taken, and told. */
  | { readonly note: string }
  /** Taken: there is nothing to do. */
  | 'nothing'
  /** Names a `sources.yml`. */
  | 'sources'
  /** The server does not start with it. */
  | { readonly refuse: string };

const OWN_PROCESS = { refuse: 'the server stays in the foreground: let a service manager run it' } as const;

function row(flag: string, does: FlagEffect, value?: string, variable?: string): PolicyServerFlag {
  const usual = `KUBEWARDEN_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
  return { flag, variable: variable ?? usual, does, ...(value === undefined ? {} : { value }) };
}

/** Every flag that it has. */
export const POLICY_SERVER_FLAGS: readonly PolicyServerFlag[] = [
  row('--addr', { key: 'serving.host' }, 'ADDRESS', 'KUBEWARDEN_BIND_ADDRESS'),
  row('--port', { key: 'serving.port' }, 'PORT'),
  row('--readiness-probe-port', { key: 'kubewarden.readinessPort' }, 'PORT'),
  row('--workers', { key: 'serving.threads' }, 'N'),
  row('--policies', { key: 'kubewarden.policiesFile' }, 'FILE'),
  row('--policies-download-dir', { key: 'dataDirectory' }, 'DIR'),
  row('--sources-path', 'sources', 'FILE'),
  row(
    '--verification-path',
    {
      refuse:
        'this server does not check signatures of modules, and loads none unchecked where that is asked',
    },
    'FILE',
    'KUBEWARDEN_VERIFICATION_CONFIG_PATH',
  ),
  row('--docker-config-json-path', { key: 'sources.oci.dockerConfigFile' }, 'FILE'),
  row('--sigstore-cache-dir', 'nothing', 'DIR'),
  row('--sigstore-trust-config', 'nothing', 'FILE', 'KUBEWARDEN_SIGSTORE_TRUST_CONFIG_PATH'),
  row('--cert-file', { key: 'serving.tls.certFile' }, 'FILE'),
  row('--key-file', { key: 'serving.tls.keyFile' }, 'FILE'),
  row('--client-ca-file', { key: 'serving.tls.clientCaFiles' }, 'FILES'),
  row('--policy-timeout', { key: 'kubewarden.policyTimeout', as: 'seconds' }, 'SECONDS'),
  row('--disable-timeout-protection', {
    note: 'policies without `timeoutEvalSeconds` get 30 s: no API server waits longer',
  }),
  row('--always-accept-admission-reviews-on-namespace', { key: 'kubewarden.acceptNamespace' }, 'NAMESPACE'),
  row('--ignore-kubernetes-connection-failure', 'nothing'),
  row('--continue-on-errors', 'nothing'),
  row('--enable-metrics', { note: 'metrics are at `/metrics` of the management API' }),
  row('--enable-pprof', { note: 'there is none' }),
  row('--log-level', { key: 'log.level', as: 'logLevel' }, 'LEVEL'),
  row('--log-fmt', { key: 'log.format', as: 'logFormat' }, 'FORMAT'),
  row('--log-no-color', 'nothing', undefined, 'NO_COLOR'),
  row('--daemon', OWN_PROCESS),
  row('--daemon-pid-file', 'nothing', 'FILE'),
  row('--daemon-stdout-file', 'nothing', 'FILE'),
  row('--daemon-stderr-file', 'nothing', 'FILE'),
];
