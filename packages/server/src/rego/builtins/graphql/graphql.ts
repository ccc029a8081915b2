import { isObject, type RegoValue } from '../../values/rego-value.ts';
import { BuiltinFailure, type Builtin } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail, text } from '../operands.ts';
import { parseQuery } from './parse-query.ts';
import { parseSchemaDocument } from './parse-schema.ts';
import { readQueryTree, readSchemaTree } from './read-tree.ts';
import { createSchemaModel, type SchemaModel } from './schema-model.ts';
import type { QueryDocument, SchemaDocument } from './syntax-tree.ts';
import { treeValue } from './tree-values.ts';
import { validateQuery } from './validate-query.ts';
import { validateSchema } from './validate-schema.ts';

export const GRAPHQL: Readonly<Record<string, Builtin>> = {
  'graphql.parse_query': (args, { charge }) => treeValue(parseQuery(text(args, 0), charge), charge),
  'graphql.parse_schema': (args, { charge }) => treeValue(parseSchemaDocument(text(args, 0), charge), charge),
  'graphql.parse': (args, { charge }) => [...verified(args, charge)],
  'graphql.parse_and_verify': (args, { charge }) =>
    unlessFailed(() => [true, ...verified(args, charge)], [false, new Map(), new Map()]),
  'graphql.is_valid': (args, { charge }) =>
    unlessFailed(() => {
      const query = queryOf(args[0], charge);
      validateQuery(modelOf(schemaOf(args[1], charge), charge), query, charge);
      return true;
    }, false),
  'graphql.schema_is_valid': (args, { charge }) =>
    unlessFailed(() => {
      modelOf(schemaOf(args[0], charge), charge);
      return true;
    }, false),
};

/** Trees of a query and of the schema that it keeps to. */
function verified(args: readonly RegoValue[], charge: Charge): readonly [RegoValue, RegoValue] {
  const query = queryOf(args[0], charge);
  const schema = schemaOf(args[1], charge);
  validateQuery(modelOf(schema, charge), query, charge);
  return [treeValue(query, charge), treeValue(schema, charge)];
}

function queryOf(value: RegoValue | undefined, charge: Charge): QueryDocument {
  if (typeof value === 'string') return parseQuery(value, charge);
  return value !== undefined && isObject(value) ? readQueryTree(value, charge) : fail('no string, no object');
}

function schemaOf(value: RegoValue | undefined, charge: Charge): SchemaDocument {
  if (typeof value === 'string') return parseSchemaDocument(value, charge);
  return value !== undefined && isObject(value)
    ? readSchemaTree(value, charge)
    : fail('no string, no object');
}

function modelOf(document: SchemaDocument, charge: Charge): SchemaModel {
  const model = createSchemaModel(document, charge);
  validateSchema(model, document, charge);
  return model;
}

function unlessFailed(answer: () => RegoValue, otherwise: RegoValue): RegoValue {
  try {
    return answer();
  } catch (error) {
    if (error instanceof BuiltinFailure) return otherwise;
    throw error;
  }
}
