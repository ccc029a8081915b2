/** Mappings inside a plugin whose keys are ours; those of `pluginConfig` belong to the plugin. */
interface KeyTree {
  readonly [key: string]: KeyTree;
}

const PLUGIN_KEYS: KeyTree = { metadata: { limits: {} }, configMapRef: {}, secretRef: {} };

/** `wasm_binary` → `wasmBinary`: the reference mixes both spellings. */
export function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * A plugin with the keys of its own levels in camelCase, and without those that are null, which clients send for what they do not
 * set. Where both spellings stand, the other one stays as it is, for the schema to refuse.
 */
export function withCamelCaseKeys(plugin: unknown, tree: KeyTree = PLUGIN_KEYS): unknown {
  if (typeof plugin !== 'object' || plugin === null || Array.isArray(plugin)) return plugin;
  const result: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(plugin)) {
    if (value === null) continue;
    const name = camelCase(written);
    const key = Object.hasOwn(plugin, name) ? written : name;
    const inner = Object.hasOwn(tree, key) ? tree[key] : undefined;
    result[key] = inner === undefined ? value : withCamelCaseKeys(value, inner);
  }
  return result;
}
