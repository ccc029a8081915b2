import { z } from 'zod';
import type { DocumentPath } from './source-document.ts';

type Schema = z.core.$ZodType;

/** The keys that the object at a path may have. */
export function keysAt(schema: Schema, path: DocumentPath): readonly string[] {
  let current: Schema | undefined = unwrap(schema);
  for (const part of path) {
    if (current instanceof z.ZodObject) current = current.shape[part as string] as Schema | undefined;
    else if (current instanceof z.ZodArray) current = current.element;
    else return [];
    if (current === undefined) return [];
    current = unwrap(current);
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

/** Every place of the schema, lists left out, where a key of this name stands. */
export function pathsOfKey(schema: Schema, key: string, path: DocumentPath = []): readonly DocumentPath[] {
  const object = unwrap(schema);
  if (!(object instanceof z.ZodObject)) return [];
  return Object.entries(object.shape as Record<string, Schema>).flatMap(([name, member]) => [
    ...(name === key ? [[...path, name]] : []),
    ...pathsOfKey(member, key, [...path, name]),
  ]);
}

/** What a schema checks before defaults and transformations. */
export function unwrap(schema: Schema): Schema {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional
  ) {
    return unwrap(schema.def.innerType);
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.def.in) : schema;
}
