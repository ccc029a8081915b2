import { resolve } from 'node:path';
import { CONFIG_SECTION, configKeys, type ConfigKey, type ConfigSection } from './config-keys.ts';

/** One place that sets keys: the file, the environment, the command line. */
export interface ConfigLayer {
  /** By dotted name of the key. */
  readonly settings: ReadonlyMap<string, Setting>;
}

export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where a path inside the value was written, for messages: `portcullis.yaml:12`, `variable PORTCULLIS_X`. */
  readonly where: (path: readonly PropertyKey[]) => string;
}

const KEYS: ReadonlyMap<string, ConfigKey> = new Map(configKeys().map((key) => [key.name, key]));

export function findKey(name: string): ConfigKey | undefined {
  return KEYS.get(name);
}

/** Later layers win, key by key; lists and maps are replaced whole. */
export function mergeLayers(layers: readonly ConfigLayer[]): ConfigLayer {
  return { settings: new Map(layers.flatMap(({ settings }) => [...settings])) };
}

/** The tree that the schema checks. */
export function treeOf({ settings }: ConfigLayer): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const { path, value } of settings.values()) {
    let node = tree;
    for (const part of path.slice(0, -1)) {
      const next = (node[part] ??= {});
      // A value where a section belongs: the schema says so, what is below it does not matter then.
      if (!isRecord(next)) break;
      node = next;
    }
    const name = path.at(-1);
    if (name !== undefined && !Object.hasOwn(node, name)) node[name] = value;
  }
  return tree;
}

/** Splits a tree at the keys of the schema. What is unknown stays in, for the schema to refuse. */
export function settingsOf(
  tree: unknown,
  base: string,
  where: Setting['where'],
): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  const visit = (value: unknown, section: ConfigSection | undefined, path: readonly string[]): void => {
    if (section !== undefined && isRecord(value)) {
      for (const [name, member] of Object.entries(value))
        visit(member, section.sections.get(name), [...path, name]);
    } else if (section === undefined || value !== null) {
      const name = path.join('.');
      settings.set(name, { path, value: absolute(findKey(name), value, base), where });
    }
  };
  visit(tree, CONFIG_SECTION, []);
  return settings;
}

/** Relative paths start from where they were written. */
export function absolute(key: ConfigKey | undefined, value: unknown, base: string): unknown {
  if (key?.isPath !== true) return value;
  const one = (entry: unknown): unknown =>
    typeof entry === 'string' && entry !== '' ? resolve(base, entry) : entry;
  return Array.isArray(value) ? value.map(one) : one(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
