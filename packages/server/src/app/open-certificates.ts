import { join } from 'node:path';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { Clock, Logger } from '../kernel/ports.ts';
import type { Config } from './config/config.ts';
import { createCertificateKeeper, type CertificateKeeper } from './tls/certificate-keeper.ts';
import { developmentCertificate } from './tls/development-certificate.ts';
import type { CertificateFiles } from './tls/load-certificate.ts';

export interface Certificates {
  readonly serving: CertificateKeeper;
  /** Absent: the management API speaks plain HTTP. */
  readonly management?: CertificateKeeper;
}

/** Loads what the configuration names; in development, where it names none, a self-signed one. */
export async function openCertificates(
  config: Config,
  clock: Clock,
  log: Logger,
): Promise<Certificates | Fault> {
  const files = await servingFiles(config, clock);
  if (isFault(files)) return files;
  const serving = await createCertificateKeeper({ name: 'serving', files, clock, log });
  if (isFault(serving)) return serving;
  const { certFile, keyFile } = config.management.tls;
  if (certFile === undefined) return { serving };
  const management = await createCertificateKeeper({
    name: 'management',
    files: { certFile, keyFile },
    clock,
    log,
  });
  return isFault(management) ? management : { serving, management };
}

async function servingFiles(config: Config, clock: Clock): Promise<CertificateFiles | Fault> {
  const { certFile, keyFile, clientCaFile } = config.serving.tls;
  if (certFile !== undefined) return { certFile, keyFile, clientCaFile };
  const made = await developmentCertificate(join(config.dataDirectory, 'development'), clock.wall());
  return isFault(made) ? made : { ...made.files, clientCaFile };
}
