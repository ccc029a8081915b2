/**
 * The layers of the server, lowest first. A file imports from lower layers and from its own item; items of one layer are
 * closed to each other.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ['packages/contract/src'],
  ['packages/server/src/kernel'],
  [
    'packages/server/src/policy',
    'packages/server/src/wasm',
    'packages/server/src/kube',
    'packages/server/src/oci',
    'packages/server/src/rego',
  ],
  ['packages/server/src/engines'],
  ['packages/server/src/sources', 'packages/server/src/capabilities'],
  ['packages/server/src/chain'],
  ['packages/server/src/gates', 'packages/server/src/manage', 'packages/server/src/cluster'],
  ['packages/server/src/telemetry'],
  ['packages/server/src/app'],
  ['packages/server/src/cli'],
];

/** Folders whose members are closed to each other as well; what they share lies in the folder itself. */
export const FAMILIES: readonly string[] = [
  'packages/server/src/engines',
  'packages/server/src/sources',
  'packages/server/src/gates',
];

/** Policy authors' package: it knows nothing of the server. */
export const ALONE: readonly string[] = ['packages/sdk/src'];
