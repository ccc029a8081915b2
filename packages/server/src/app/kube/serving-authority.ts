import { readFile } from 'node:fs/promises';
import type { Logger } from '../../kernel/ports.ts';
import type { CertificateKeeper } from '../tls/certificate-keeper.ts';

/** PEM of what API servers have to trust to reach the gates, kept up to date. */
export interface ServingAuthority {
  pem(): string;
  watch(changed: () => void): void;
  stop(): void;
}

export interface ServingAuthorityOptions {
  /** Absent: the certificate itself, which Go accepts as its own authority. */
  readonly caFile: string | undefined;
  readonly serving: CertificateKeeper | undefined;
  readonly log: Logger;
}

/** Milliseconds between two looks at the file. */
const INTERVAL = 5000;
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

export async function openServingAuthority(options: ServingAuthorityOptions): Promise<ServingAuthority> {
  const { caFile, serving, log } = options;
  let current = (await look()) ?? '';
  let timer: NodeJS.Timeout | undefined;

  /** Undefined when it cannot be read now: the last one stays. */
  async function look(): Promise<string | undefined> {
    if (caFile === undefined) return certificatesIn(serving?.material().cert ?? '');
    try {
      return certificatesIn(await readFile(caFile, 'utf8'));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.log('error', 'the authority of the serving certificate cannot be read', { reason });
      return undefined;
    }
  }

  return {
    pem: () => current,
    watch(changed) {
      timer = setInterval(() => {
        void look().then((found) => {
          if (found === undefined || found === '' || found === current) return;
          current = found;
          changed();
        });
      }, INTERVAL).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** Never the key that may stand in the same file. */
function certificatesIn(pem: string | Buffer): string {
  return (pem.toString().match(CERTIFICATES) ?? []).map((block) => `${block.trim()}\n`).join('');
}
