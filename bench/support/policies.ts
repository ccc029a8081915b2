import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import createWabt from 'wabt';

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
export async function endlessPolicy(options: PolicyOptions): Promise<object> {
  return policy(options, {
    module: { inline: Buffer.from(await endlessModule()).toString('base64') },
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

const ENDLESS = `(module
  (import "env" "read_input" (func (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "validate") (result i32) (loop (br 0)) (i32.const 0)))`;

async function endlessModule(): Promise<Uint8Array> {
  const wabt = await createWabt();
  return wabt.parseWat('endless', ENDLESS).toBinary({}).buffer;
}

export function readModule(path = MODULE_PATH): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}
