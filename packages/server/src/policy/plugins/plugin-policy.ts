import type { JsonValue, ModuleReference, Operation, Policy, PolicyOrigin } from '@portcullis/contract';
import { DATABASE_TRIGGER, type PluginDocument } from './plugin-schema.ts';

export const AUTHOR_ANNOTATION = 'portcullis.dev/author';

export interface PluginPolicy {
  readonly policy: Policy;
  readonly warnings: readonly string[];
}

/** The policy that a plugin is: engine `plugin`, on every resource. */
export function toPluginPolicy(plugin: PluginDocument, order: number, origin: PolicyOrigin): PluginPolicy {
  const { name, version, description, author, limits } = plugin.metadata;
  const operations = plugin.operations.filter(
    (operation): operation is Operation => operation !== DATABASE_TRIGGER,
  );
  const policy: Policy = {
    metadata: {
      name,
      version,
      ...(description === undefined ? {} : { description }),
      labels: {},
      annotations: author === undefined ? {} : { [AUTHOR_ANNOTATION]: author },
    },
    spec: {
      gate: 'admission',
      phase: plugin.mutating ? 'mutate' : 'validate',
      order,
      mode: 'enforce',
      failurePolicy: plugin.failOpen ? 'Ignore' : 'Fail',
      match: { operations, resources: [], namespaces: [], excludedNamespaces: [], conditions: [] },
      engine: 'plugin',
      module: moduleOf(plugin),
      // It was read as a JsonValue, and the schema hands it through.
      settings: plugin.pluginConfig as JsonValue,
      limits: { timeoutMs: limits.timeoutMs, memoryBytes: limits.maxMemoryBytes, fuel: limits.maxFuel },
      capabilities: [],
      // No operations would mean every one.
      enabled: plugin.enabled && operations.length > 0,
    },
    origin,
  };
  return { policy, warnings: warningsOf(name, plugin, operations) };
}

function warningsOf(
  name: string,
  plugin: PluginDocument,
  operations: readonly Operation[],
): readonly string[] {
  if (operations.length === plugin.operations.length) return [];
  const consequence = operations.length === 0 ? ', so the plugin is disabled' : '';
  return [`plugin \`${name}\`: \`DBTRIGGER\` is no operation of the admission gate${consequence}`];
}

function moduleOf({ metadata, wasmBinary, configMapRef, secretRef, url }: PluginDocument): ModuleReference {
  return {
    ...(wasmBinary === undefined ? {} : { inline: wasmBinary }),
    ...(configMapRef === undefined ? {} : { configMap: configMapRef }),
    ...(secretRef === undefined ? {} : { secret: secretRef }),
    ...(url === undefined ? {} : { url }),
    ...(metadata.sha256 === undefined ? {} : { sha256: metadata.sha256 }),
  };
}
