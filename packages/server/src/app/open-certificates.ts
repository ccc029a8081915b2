import { join } from 'node:path';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { Clock, Logger } from '../kernel/ports.ts';
import { clientAuthorities, isPlain, type Config } from './config/config.ts';
import { createCertificateKeeper, type CertificateKeeper } from './tls/certificate-keeper.ts';
import { developmentCertificate } from './tls/development-certificate.ts';
import type { CertificateFiles } from './tls/load-certificate.ts';
import type { TlsMaterial } from './tls/tls-material.ts';

export interface Certificates {
  /** Absent: the gates speak plain HTTP. */
  readonly serving?: CertificateKeeper;
  /** Absent: the management API speaks plain HTTP. */
  readonly management?: CertificateKeeper;
}

/** Hands new ones to whoever shows them. */
export function followCertificates(
  { serving, management }: Certificates,
  show: {
    readonly serving: (material: TlsMaterial) => void;
    readonly management: (material: TlsMaterial) => void;
  },
): void {
  serving?.watch(show.serving);
  management?.watch(show.management);
}

/** Loads what the configuration names; in development, where it names none, a self-signed one. */
export async function openCertificates(
  config: Config,
  clock: Clock,
  log: Logger,
): Promise<Certificates | Fault> {
  const serving = await openServing(config, clock, log);
  if (isFault(serving)) return serving;
  const opened = serving === undefined ? {} : { serving };
  const { certFile, keyFile } = config.management.tls;
  if (certFile === undefined) return opened;
  const management = await createCertificateKeeper({
    name: 'management',
    files: { certFile, keyFile },
    clock,
    log,
  });
  return isFault(management) ? management : { ...opened, management };
}

async function openServing(
  config: Config,
  clock: Clock,
  log: Logger,
): Promise<CertificateKeeper | undefined | Fault> {
  if (isPlain(config)) {
    log.log(
      'warn',
      'the gates are served without TLS: whoever is in between reads and changes reviews and answers',
    );
    return undefined;
  }
  const files = await servingFiles(config, clock);
  return isFault(files) ? files : createCertificateKeeper({ name: 'serving', files, clock, log });
}

async function servingFiles(config: Config, clock: Clock): Promise<CertificateFiles | Fault> {
  const { certFile, keyFile } = config.serving.tls;
  const clientCaFiles = clientAuthorities(config);
  if (certFile !== undefined) return { certFile, keyFile, clientCaFiles };
  const made = await developmentCertificate(join(config.dataDirectory, 'development'), clock.wall());
  return isFault(made) ? made : { ...made.files, clientCaFiles };
}
