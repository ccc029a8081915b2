import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paddedModule } from '../../e2e/support/fixed-policy.ts';
import { SETTINGS } from './policies.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLES = join(ROOT, 'policies');
const OFFICIAL_SDK = join(ROOT, 'packages/server/test/engines/kubewarden/official-sdk.wasm');
const PADDING = 4096;

interface Dialect {
  readonly module: string;
  readonly spec: object;
}

const example = (name: string): string => join(EXAMPLES, name, `${name}.wasm`);
const PATTERNS = { allowed: ['**'] };
const TOKEN = '593f00870ca47cdf5e2dc545306947196c1c0e9e48e01bc1384bb80833ff64a9';

/** Every dialect and toolchain that there is an example of; those for admission allow the pod review. */
const DIALECTS: readonly Dialect[] = [
  { module: example('image-registry'), spec: { engine: 'plugin', settings: SETTINGS } },
  { module: example('image-registry-assemblyscript'), spec: { engine: 'plugin', settings: SETTINGS } },
  {
    module: example('default-labels'),
    spec: { engine: 'plugin', phase: 'mutate', settings: { labels: { team: 'a' } } },
  },
  { module: example('image-patterns-wapc'), spec: { engine: 'kubewarden', settings: PATTERNS } },
  { module: OFFICIAL_SDK, spec: { engine: 'kubewarden', settings: { denied: ['no'] } } },
  { module: example('memory-limits-rego'), spec: { engine: 'gatekeeper', settings: { max: '64Gi' } } },
  {
    module: example('static-tokens-rust-wasi'),
    spec: {
      gate: 'authentication',
      engine: 'wasi',
      settings: { tokens: [{ sha256: TOKEN, user: { username: 'robot' } }] },
    },
  },
  {
    module: example('denied-verbs-go'),
    spec: {
      gate: 'authorization',
      engine: 'wasi',
      settings: { rules: [{ group: 'g', verbs: ['get'], resources: ['*'] }] },
      limits: { timeout: '1s', memory: '32Mi', fuel: 100_000_000 },
    },
  },
];
/** Copies of these, with other digests, are modules of their own. */
const COPIED = [0, 4];

/** So many policies over ten modules with digests of their own, written to this folder where they are copies. */
export function mixedPolicies(count: number, folder: string): readonly object[] {
  const copies = COPIED.map((index): Dialect => {
    const { module, spec } = DIALECTS[index] as Dialect;
    const bytes = readFileSync(module);
    const copy = join(folder, `copy-${index}.wasm`);
    writeFileSync(copy, paddedModule(bytes, bytes.length + PADDING));
    return { module: copy, spec };
  });
  const all = [...DIALECTS, ...copies];
  return Array.from({ length: count }, (_, index) => {
    const { module, spec } = all[index % all.length] as Dialect;
    return {
      apiVersion: 'portcullis.dev/v1',
      kind: 'Policy',
      metadata: { name: `mixed-${index}` },
      spec: { ...spec, module: { file: module } },
    };
  });
}
