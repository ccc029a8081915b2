import { Fault } from '../../kernel/fault.ts';
import type { ConfigValues } from './config-schema.ts';

/** The effective configuration: what the keys say, and what the surroundings decide where they say nothing. */
export interface Config extends Omit<ConfigValues, 'serving' | 'log'> {
  readonly development: boolean;
  readonly serving: ConfigValues['serving'] & {
    readonly host: string;
    readonly threads: number;
    readonly drainDelay: number;
  };
  readonly log: { readonly level: ConfigValues['log']['level']; readonly format: 'json' | 'pretty' };
}

export interface Surroundings {
  readonly development: boolean;
  /** Cores that this process may use. */
  readonly cores: number;
  /** Standard error is a terminal. */
  readonly terminal: boolean;
}

/** Fills in what depends on the machine and the mode, and refuses combinations that would be unsafe. */
export function resolveConfig(values: ConfigValues, surroundings: Surroundings): Config | Fault {
  const { development, cores, terminal } = surroundings;
  const host = values.serving.host ?? (development ? '127.0.0.1' : '0.0.0.0');
  const config: Config = {
    ...values,
    development,
    serving: {
      ...values.serving,
      host,
      threads: values.serving.threads ?? cores,
      drainDelay: values.serving.drainDelay ?? (isLoopback(host) ? 0 : 5000),
    },
    log: {
      level: values.log.level,
      format: values.log.format ?? (development && terminal ? 'pretty' : 'json'),
    },
  };
  const problem = firstProblem(config);
  return problem === undefined ? config : new Fault('PC_CONFIG_VALUE', problem);
}

/** True when only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function firstProblem(config: Config): string | undefined {
  const { management } = config;
  const serving = servingProblem(config);
  if (serving !== undefined) return serving;
  if (management.tls.certFile === undefined && management.tls.keyFile !== undefined) {
    return '`management.tls.keyFile` needs `management.tls.certFile`';
  }
  return isLoopback(management.host) ? undefined : openManagementProblem(management);
}

function servingProblem(config: Config): string | undefined {
  const { certFile, keyFile, requireClientCert } = config.serving.tls;
  const hasAuthorities = clientAuthorities(config).length > 0;
  if (certFile === undefined) {
    if (keyFile !== undefined) return '`serving.tls.keyFile` needs `serving.tls.certFile`';
    if (!config.development && !config.kubewarden.plainHttp) {
      return '`serving.tls.certFile` is missing: name a certificate, or start with `--development` for a self-signed one';
    }
    if (isPlain(config)) return plainProblem(config, hasAuthorities);
  }
  return requireClientCert && !hasAuthorities
    ? '`serving.tls.requireClientCert` needs `serving.tls.clientCaFile`'
    : undefined;
}

/** Whoever asks for a check of clients must not be served without one. */
function plainProblem({ kubernetes, serving }: Config, hasAuthorities: boolean): string | undefined {
  if (hasAuthorities) return '`serving.tls.clientCaFile` needs `serving.tls.certFile`';
  if (serving.tls.requireClientCert) return '`serving.tls.requireClientCert` needs `serving.tls.certFile`';
  return kubernetes.registration.enabled
    ? '`kubernetes.registration.enabled` needs `serving.tls.certFile`: API servers call no webhook without TLS'
    : undefined;
}

/** Files with the authorities of client certificates. */
export function clientAuthorities({ serving: { tls } }: Pick<Config, 'serving'>): readonly string[] {
  return [...(tls.clientCaFile === undefined ? [] : [tls.clientCaFile]), ...tls.clientCaFiles];
}

/** Whether the gates speak plain HTTP. */
export function isPlain({ serving, kubewarden, development }: Config): boolean {
  return serving.tls.certFile === undefined && kubewarden.plainHttp && !development;
}

function openManagementProblem(management: Config['management']): string | undefined {
  const where = `\`management.host\` is \`${management.host}\`, which others can reach`;
  if (management.tls.certFile === undefined) return `${where}: set \`management.tls.certFile\``;
  if (management.tokens.length === 0 && management.tokensFile === undefined) {
    return `${where}: set \`management.tokens\` or \`management.tokensFile\``;
  }
  return undefined;
}
