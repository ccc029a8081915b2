import { BuiltinFailure, type Builtin } from '../builtin.ts';
import { parseSchema } from './parse-schema.ts';
import { documentOf } from './schema-document.ts';
import { errorValue } from './schema-result.ts';
import { validateDocument } from './validate-document.ts';

export const JSON_SCHEMA: Readonly<Record<string, Builtin>> = {
  'json.verify_schema': (args, { charge }) => {
    try {
      parseSchema(documentOf(args[0], charge), charge);
      return [true, null];
    } catch (error) {
      if (error instanceof BuiltinFailure) return [false, `jsonschema: ${error.message}`];
      throw error;
    }
  },

  'json.match_schema': (args, { charge }) => {
    const document = documentOf(args[0], charge);
    const schema = parseSchema(documentOf(args[1], charge), charge);
    const { errors, isValid } = validateDocument(schema, document, charge);
    return [isValid, errors.map(errorValue)];
  },
};
