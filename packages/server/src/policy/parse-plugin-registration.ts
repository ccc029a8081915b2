import type { Policy, PolicyOrigin } from '@portcullis/contract';
import { isFault, type Fault } from '../kernel/fault.ts';
import { checkDocument } from './document/document-problems.ts';
import { withCamelCaseKeys } from './plugins/camel-case-keys.ts';
import { toPluginPolicy } from './plugins/plugin-policy.ts';
import { pluginSchema } from './plugins/plugin-schema.ts';

const ORIGIN: PolicyOrigin = { source: 'plugins', location: 'POST /plugins' };

/**
 * The body of `POST /plugins`, parsed as JSON, as a policy. Keys in snake_case or camelCase. `order` is the plugin's place among the
 * others: a caller that counts up keeps the order of registration. PC_POLICY_BASE64 for a bad `wasm_binary`, PC_POLICY_KEY and
 * PC_POLICY_VALUE for everything else; the messages name the key.
 */
export function parsePluginRegistration(
  body: unknown,
  order: number = 1000,
  origin: PolicyOrigin = ORIGIN,
): Policy | Fault {
  const plugin = checkDocument(pluginSchema, withCamelCaseKeys(body), {
    location: origin === ORIGIN ? '' : origin.location,
    positionOf: () => undefined,
  });
  return isFault(plugin) ? plugin : toPluginPolicy(plugin, order, origin).policy;
}
