import { isArray, isObject, type RegoObject, type RegoValue } from '../../values/rego-value.ts';
import { BuiltinLimit } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { parseReference, referenceText } from './json-reference.ts';
import {
  invalidType,
  readList,
  readNumbers,
  readPattern,
  readRequired,
  readSizes,
  readText,
  readTypes,
} from './read-keywords.ts';
import { comparableText } from './schema-document.ts';
import { createSchemaPool, draftOf, type SchemaPool } from './schema-pool.ts';
import { createSubSchema, knows, type Draft, type SubSchema } from './sub-schema.ts';

const MAX_DEPTH = 1000;

/** A schema that can be asked; fails with gojsonschema's words when the document is none. */
export function parseSchema(document: RegoValue, charge: Charge): SubSchema {
  const draft = draftOf(document) ?? 'any';
  const parser: Parser = { pool: createSchemaPool(document, charge), known: new Map(), depth: 0, charge };
  return parse(document, draft, parser);
}

interface Parser {
  readonly pool: SchemaPool;
  /** By reference: one that leads back to itself finds what is being read. */
  readonly known: Map<string, SubSchema>;
  depth: number;
  readonly charge: Charge;
}

function parse(document: RegoValue, draft: Draft, parser: Parser): SubSchema {
  const schema = createSubSchema(draft);
  readInto(schema, document, parser);
  return schema;
}

function readInto(schema: SubSchema, document: RegoValue, parser: Parser): void {
  parser.charge(40);
  if (typeof document === 'boolean' && knows(schema.draft, 6)) {
    schema.verdict = document;
    return;
  }
  if (!isObject(document)) return fail('Expected: Valid Schema, given: Invalid JSON');
  if (parser.depth >= MAX_DEPTH) throw new BuiltinLimit('a JSON schema that is nested too deeply');
  parser.depth++;
  readHead(document, schema, parser);
  // What a reference stands beside says nothing; it is read only where the reference is known already, as in OPA.
  if (!readReference(document, schema, parser)) {
    for (const read of KEYWORDS) read(document, schema, parser);
  }
  parser.depth--;
}

type Keyword = (object: RegoObject, schema: SubSchema, parser: Parser) => void;

function readHead(object: RegoObject, schema: SubSchema, parser: Parser): void {
  const { draft } = schema;
  const id = readText(object, draft === 4 || (draft === 'any' && object.has('id')) ? 'id' : '$id');
  if (id !== undefined) parseReference(id);
  const definitions = object.get('definitions');
  if (definitions !== undefined) {
    for (const part of isObject(definitions) ? definitions.values() : [definitions]) {
      if (isSchema(part) && isObject(definitions)) parse(part, draft, parser);
      else invalidType('Array Of Schemas', 'definitions');
    }
  }
  readText(object, 'title');
  readText(object, 'description');
}

/** Whether that was all. */
function readReference(object: RegoObject, schema: SubSchema, parser: Parser): boolean {
  const written = readText(object, '$ref');
  if (written === undefined) return false;
  const reference = parser.pool.targetOf(object, written);
  const text = referenceText(reference);
  parser.charge(20 + (text.length >> 4));
  const known = parser.known.get(text);
  if (known !== undefined) {
    schema.target = known;
    return false;
  }
  // Known before it has been looked for, and before it has been read: it may name itself.
  const { document, draft } = parser.pool.find(reference);
  const target = createSubSchema(draft ?? schema.draft);
  parser.known.set(text, target);
  if (!isSchema(document)) fail('Valid Schema must be of type object');
  readInto(target, document, parser);
  schema.target = target;
  return true;
}

function isSchema(value: RegoValue): boolean {
  return typeof value === 'boolean' || isObject(value);
}

/** In this order, which decides what a schema with several faults is told. */
const KEYWORDS: readonly Keyword[] = [
  (object, schema) => readTypes(object.get('type'), schema),
  readProperties,
  readOpen('additionalProperties'),
  readPatternProperties,
  (object, schema, parser) => {
    const value = object.get('propertyNames');
    if (value === undefined || !knows(schema.draft, 6)) return;
    if (!isSchema(value)) invalidType('Valid Schema', 'patternProperties');
    schema.propertyNames = parse(value, schema.draft, parser);
  },
  readDependencies,
  readItems,
  readOpen('additionalItems'),
  (object, schema, { charge }) => readNumbers(object, schema, charge),
  (object, schema) => readSizes(object, schema, ['minLength', 'maxLength']),
  (object, schema, { charge }) => {
    const source = readText(object, 'pattern');
    if (source === undefined) return;
    schema.pattern = { source, program: readPattern(source, 'pattern must be a valid regex', charge) };
  },
  (object, schema) => {
    const format = readText(object, 'format');
    if (format !== undefined) schema.format = format;
  },
  (object, schema) => readSizes(object, schema, ['minProperties', 'maxProperties']),
  (object, schema) => readRequired(object, schema),
  (object, schema) => readSizes(object, schema, ['minItems', 'maxItems']),
  (object, schema) => {
    const value = object.get('uniqueItems');
    if (value === undefined) return;
    schema.uniqueItems = typeof value === 'boolean' ? value : fail('uniqueItems must be of a boolean');
  },
  (object, schema, parser) => {
    const value = object.get('contains');
    if (value !== undefined && knows(schema.draft, 6)) schema.contains = parse(value, schema.draft, parser);
  },
  (object, schema, { charge }) => {
    const value = object.get('const');
    if (value !== undefined && knows(schema.draft, 6)) schema.constant = comparableText(value, charge);
  },
  readChoices,
  readAll('oneOf'),
  readAll('anyOf'),
  readAll('allOf'),
  readOne('not'),
  readOne('if', 7),
  readOne('then', 7),
  readOne('else', 7),
];

function readProperties(object: RegoObject, schema: SubSchema, parser: Parser): void {
  const properties = object.get('properties');
  if (properties === undefined) return;
  if (!isObject(properties)) return fail('Properties must be of type object');
  for (const [name, part] of properties)
    schema.properties.set(name as string, parse(part, schema.draft, parser));
}

/** Whether there may be more, or what that has to be. */
function readOpen(keyword: 'additionalProperties' | 'additionalItems'): Keyword {
  return (object, schema, parser) => {
    const value = object.get(keyword);
    if (value === undefined) return;
    if (!isSchema(value)) invalidType('boolean/Valid Schema', keyword);
    schema[keyword] = typeof value === 'boolean' ? value : parse(value, schema.draft, parser);
  };
}

function readPatternProperties(object: RegoObject, schema: SubSchema, parser: Parser): void {
  const patterns = object.get('patternProperties');
  if (patterns === undefined) return;
  if (!isObject(patterns)) return invalidType('Valid Schema', 'patternProperties');
  for (const [key, part] of patterns) {
    const source = key as string;
    const program = readPattern(source, `Invalid regex pattern '${source}'`, parser.charge);
    schema.patternProperties.push({ program, schema: parse(part, schema.draft, parser) });
  }
}

const NO_DEPENDENCY = 'Dependency must be of type Schema Or Array Of Strings';

function readDependencies(object: RegoObject, schema: SubSchema, parser: Parser): void {
  const dependencies = object.get('dependencies');
  if (dependencies === undefined) return;
  if (!isObject(dependencies)) return fail('dependencies must be of type object');
  for (const [key, value] of dependencies) {
    if (!isArray(value) && !isSchema(value)) return fail(NO_DEPENDENCY);
    const dependency = isArray(value)
      ? value.map((name) => (typeof name === 'string' ? name : fail(NO_DEPENDENCY)))
      : parse(value, schema.draft, parser);
    schema.dependencies.set(key as string, dependency);
  }
}

function readItems(object: RegoObject, schema: SubSchema, parser: Parser): void {
  const items = object.get('items');
  if (items === undefined) return;
  const parts = isArray(items) ? items : [items];
  const schemas = parts.map((part) =>
    isSchema(part)
      ? parse(part, schema.draft, parser)
      : invalidType('Valid Schema/Array Of Schemas', 'items'),
  );
  const [first] = schemas;
  schema.items = isArray(items) || first === undefined ? schemas : first;
}

function readChoices(object: RegoObject, schema: SubSchema, { charge }: Parser): void {
  const values = readList(object, 'enum');
  if (values === undefined) return;
  const choices = new Set<string>();
  for (const value of values) {
    const text = comparableText(value, charge);
    if (choices.has(text)) fail('enum items must be unique');
    choices.add(text);
  }
  schema.choices = choices;
}

function readAll(keyword: 'oneOf' | 'anyOf' | 'allOf'): Keyword {
  return (object, schema, parser) => {
    for (const part of readList(object, keyword) ?? [])
      schema[keyword].push(parse(part, schema.draft, parser));
  };
}

function readOne(keyword: 'not' | 'if' | 'then' | 'else', since?: 7): Keyword {
  return (object, schema, parser) => {
    const value = object.get(keyword);
    if (value === undefined || (since !== undefined && !knows(schema.draft, since))) return;
    if (!isSchema(value)) fail(`${keyword} must be of an object`);
    schema[keyword] = parse(value, schema.draft, parser);
  };
}
