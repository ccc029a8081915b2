import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from './certificates.ts';

export interface PortcullisFiles {
  readonly directory: string;
  readonly policies: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Folders and certificate of one server below a work directory. */
export async function writePortcullisFiles(directory: string, identity: Identity): Promise<PortcullisFiles> {
  const policies = join(directory, 'policies');
  await mkdir(policies, { recursive: true });
  const files = {
    directory,
    policies,
    certFile: join(directory, 'tls.crt'),
    keyFile: join(directory, 'tls.key'),
  };
  await writeFile(files.certFile, identity.certificatePem);
  await writeFile(files.keyFile, identity.keyPem, { mode: 0o600 });
  return files;
}

export interface ConfigOptions {
  readonly files: PortcullisFiles;
  readonly port: number;
  readonly managementPort: number;
  readonly drainDelay?: string;
  /** Whole sections besides or in place of the ones here. */
  readonly sections?: Readonly<Record<string, unknown>>;
}

/** JSON, which is YAML too. */
export function portcullisConfig(options: ConfigOptions): string {
  const { files, port, managementPort, drainDelay = '0s', sections } = options;
  return JSON.stringify({
    serving: {
      host: '127.0.0.1',
      port,
      threads: 2,
      drainDelay,
      tls: { certFile: files.certFile, keyFile: files.keyFile },
    },
    management: { port: managementPort },
    policies: { directories: [files.policies], checkInterval: '100ms' },
    dataDirectory: join(files.directory, `data-${managementPort}`),
    ...sections,
  });
}

/** Writes a policy document with its module beside it. */
export async function writePolicy(
  folder: string,
  name: string,
  module: Uint8Array,
  spec: Readonly<Record<string, unknown>>,
): Promise<void> {
  await writeFile(join(folder, `${name}.wasm`), module);
  const document = {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name },
    spec: { engine: 'plugin', module: { file: `./${name}.wasm` }, ...spec },
  };
  await writeFile(join(folder, `${name}.yaml`), JSON.stringify(document, undefined, 2));
}
