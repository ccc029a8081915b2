import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENDLESS_MODULES, type EndlessEngine } from './endless-modules.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODULE = 'policies/image-registry/image-registry.wasm';

export const MODULE_PATH = join(ROOT, MODULE);

/** Approves the images of the pod review. */
export const SETTINGS = {
  registries: ['registry.k8s.io', 'docker.io/library', 'registry.example.test/shop'],
};

export interface PolicyOptions {
  readonly name?: string;
  readonly namespaces?: readonly string[];
}

export interface RegistryOptions extends PolicyOptions {
  /** Those of the pod review when absent. */
  readonly approved?: readonly string[];
  /** Approved as well. */
  readonly registries?: readonly string[];
}

/** The image registry policy on pods. */
export function registryPolicy(options: RegistryOptions = {}): object {
  const registries = [...(options.approved ?? SETTINGS.registries), ...(options.registries ?? [])];
  return policy(options, { module: { file: MODULE_PATH }, settings: { registries } });
}

/** Loops until its time is over: as much fuel as a policy may have, and a second. */
export function endlessPolicy(options: PolicyOptions & { readonly engine?: EndlessEngine }): object {
  const { engine = 'plugin' } = options;
  return policy(options, {
    engine,
    module: { inline: Buffer.from(ENDLESS_MODULES[engine]()).toString('base64') },
    limits: { timeout: '1s', fuel: 1e12 },
  });
}

function policy({ name = 'image-registry', namespaces = ['*'] }: PolicyOptions, spec: object): object {
  return {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name },
    spec: {
      match: {
        operations: ['CREATE', 'UPDATE'],
        resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        namespaces,
      },
      engine: 'plugin',
      ...spec,
    },
  };
}

export function readModule(path = MODULE_PATH): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}
