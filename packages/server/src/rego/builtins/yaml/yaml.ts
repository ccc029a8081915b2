import type { JsonValue } from '@portcullis/contract';
import { isRawNumber } from '../../../kernel/json/exact-json.ts';
import { jsonText, toJson } from '../../values/json-values.ts';
import { BuiltinFailure, type Builtin } from '../builtin.ts';
import { text } from '../operands.ts';
import { readYaml } from './read-yaml.ts';
import { yamlLibrary } from './yaml-library.ts';

export const YAML: Readonly<Record<string, Builtin>> = {
  'yaml.marshal': (args, { charge }) => {
    const value = toJson(args[0] ?? null);
    charge(jsonText(args[0] ?? null).length * 20);
    return yamlLibrary().stringify(plain(value), { version: '1.1', sortMapEntries: true, lineWidth: 0 });
  },
  'yaml.unmarshal': (args, { charge }) => readYaml(text(args, 0), charge),
  'yaml.is_valid': ([value], { charge }) => {
    if (typeof value !== 'string') return false;
    try {
      readYaml(value, charge);
      return true;
    } catch (error) {
      if (error instanceof BuiltinFailure) return false;
      throw error;
    }
  },
};

/** Numbers that keep their text are no numbers to the library; as bigint it writes them. */
function plain(value: JsonValue): unknown {
  if (isRawNumber(value))
    return /^-?\d+$/.test(value.rawJSON) ? BigInt(value.rawJSON) : Number(value.rawJSON);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item as JsonValue)]));
}
