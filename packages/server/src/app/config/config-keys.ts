import { z } from 'zod';
import { configSchema } from './config-schema.ts';

/** One key that holds a value (not a section). */
export interface ConfigKey {
  /** Dotted: `serving.port`. */
  readonly name: string;
  readonly path: readonly string[];
  /** Environment variable: `PORTCULLIS_SERVING_PORT`. */
  readonly variable: string;
  readonly description: string;
  /** As written in the file; absent when the key has none. */
  readonly default?: unknown;
  /** How a text (variable, option) becomes the value. */
  readonly form: 'text' | 'number' | 'boolean' | 'list' | 'structure';
  /** Relative paths in it start from where the key was set. */
  readonly isPath: boolean;
  readonly isSecret: boolean;
}

/** A section of keys. */
export interface ConfigSection {
  readonly sections: ReadonlyMap<string, ConfigSection>;
  readonly keys: ReadonlyMap<string, ConfigKey>;
}

type Schema = z.core.$ZodType;

/** The keys as a tree, as the schema has them. */
export const CONFIG_SECTION: ConfigSection = sectionOf(configSchema, []);

/** All keys, in the order of the schema. */
export function configKeys(section: ConfigSection = CONFIG_SECTION): readonly ConfigKey[] {
  return [...section.keys.values(), ...[...section.sections.values()].flatMap((inner) => configKeys(inner))];
}

function sectionOf(schema: z.ZodObject, path: readonly string[]): ConfigSection {
  const sections = new Map<string, ConfigSection>();
  const keys = new Map<string, ConfigKey>();
  for (const [name, member] of Object.entries(schema.shape)) {
    const inner = unwrap(member);
    if (inner instanceof z.ZodObject) sections.set(name, sectionOf(inner, [...path, name]));
    else keys.set(name, keyOf(member, [...path, name]));
  }
  return { sections, keys };
}

function keyOf(schema: Schema, path: readonly string[]): ConfigKey {
  const meta = layers(schema).map((layer) => z.globalRegistry.get(layer) ?? {});
  const fallback = layers(schema).find(
    (layer) => layer instanceof z.ZodDefault || layer instanceof z.ZodPrefault,
  );
  const value: unknown = fallback?.def.defaultValue;
  return {
    name: path.join('.'),
    path,
    variable: `PORTCULLIS_${path.map((part) => part.replace(/[A-Z]/g, '_$&').toUpperCase()).join('_')}`,
    description: meta.find(({ description }) => description !== undefined)?.description ?? '',
    ...(fallback === undefined ? {} : { default: value }),
    form: formOf(unwrap(schema)),
    isPath: meta.some((entry) => entry['path'] === true),
    isSecret: meta.some((entry) => entry['secret'] === true),
  };
}

function formOf(schema: Schema): ConfigKey['form'] {
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodRecord) return 'structure';
  if (!(schema instanceof z.ZodArray)) return 'text';
  return schema.element instanceof z.ZodString ? 'list' : 'structure';
}

/** The schema and what it wraps, outermost first. */
function layers(schema: Schema): readonly Schema[] {
  const wrapper =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;
  return wrapper ? [schema, ...layers(schema.def.innerType)] : [schema];
}

function unwrap(schema: Schema): Schema {
  return layers(schema).at(-1) ?? schema;
}
