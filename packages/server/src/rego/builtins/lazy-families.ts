import { createRequire } from 'node:module';
import { lazyFamily } from './lazy-family.ts';

export const GRAPHQL = lazyFamily(
  [
    'graphql.is_valid',
    'graphql.parse',
    'graphql.parse_and_verify',
    'graphql.parse_query',
    'graphql.parse_schema',
    'graphql.schema_is_valid',
  ],
  () => (load('./graphql/graphql.ts') as typeof import('./graphql/graphql.ts')).GRAPHQL,
);

export const JSON_SCHEMA = lazyFamily(
  ['json.match_schema', 'json.verify_schema'],
  () => (load('./json-schema/json-schema.ts') as typeof import('./json-schema/json-schema.ts')).JSON_SCHEMA,
);

/** At once, as a builtin has to answer at once. */
function load(path: string): unknown {
  return createRequire(import.meta.url)(path);
}
