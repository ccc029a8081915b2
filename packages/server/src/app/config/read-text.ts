import { parse } from 'yaml';
import type { ConfigKey } from './config-keys.ts';

/**
 * The value of a key that was written as one text, in a variable or an option. What cannot be read stays a text, which the
 * schema then refuses in its own words.
 */
export function readText(key: ConfigKey, text: string): unknown {
  switch (key.form) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return text.startsWith('[') ? parseStructure(text) : text.split(',').map((entry) => entry.trim());
    case 'structure':
      return parseStructure(text);
    default:
      return text;
  }
}

function parseStructure(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
