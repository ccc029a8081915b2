import { isFault, type Fault } from '../../kernel/fault.ts';
import type { Clock, Logger } from '../../kernel/ports.ts';
import { loadCertificate, type CertificateFiles } from './load-certificate.ts';
import type { Certificate, TlsMaterial } from './tls-material.ts';
import { watchCertificate, type RunningCertificateWatch } from './watch-certificate.ts';

/** One certificate that the server shows, kept up to date. */
export interface CertificateKeeper {
  readonly name: string;
  readonly files: CertificateFiles;
  material(): TlsMaterial;
  /** Milliseconds since 1970. */
  notAfter(): number;
  /** Why the newest files are not in use. */
  problem(): Fault | undefined;
  reloads(): { readonly succeeded: number; readonly failed: number };
  /** Starts to follow the files. */
  watch(changed: (material: TlsMaterial) => void): void;
  /** Looks at the files now. */
  check(): Promise<void>;
  stop(): void;
}

export interface KeeperOptions {
  /** For people and metrics: `serving`, `management`. */
  readonly name: string;
  readonly files: CertificateFiles;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Between two looks at the contents; events of the folder come sooner. */
const INTERVAL = 3000;

export async function createCertificateKeeper(options: KeeperOptions): Promise<CertificateKeeper | Fault> {
  const { name, files, clock, log } = options;
  const loaded = await loadCertificate(files, clock.wall());
  if (isFault(loaded)) return loaded;
  let current: Certificate = loaded;
  let problem: Fault | undefined;
  let running: RunningCertificateWatch | undefined;
  const reloads = { succeeded: 0, failed: 0 };

  return {
    name,
    files,
    material: () => current.material,
    notAfter: () => current.notAfter,
    problem: () => problem,
    reloads: () => ({ ...reloads }),
    watch(changed) {
      running = watchCertificate({
        files,
        current,
        interval: INTERVAL,
        wall: () => clock.wall(),
        changed(certificate) {
          current = certificate;
          reloads.succeeded += 1;
          log.log('info', 'new certificate', {
            certificate: name,
            notAfter: new Date(certificate.notAfter).toISOString(),
          });
          changed(certificate.material);
        },
        problem(fault) {
          problem = fault;
          if (fault === undefined) return;
          reloads.failed += 1;
          log.log('error', 'the new certificate cannot be used; the last one stays', {
            certificate: name,
            code: fault.code,
            reason: fault.message,
          });
        },
      });
    },
    check: async () => running?.check(),
    stop: () => running?.stop(),
  };
}
