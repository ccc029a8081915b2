import { isFault } from '../kernel/fault.ts';
import { checkDocument, type DocumentPlace } from './document/document-problems.ts';
import { isSubdomain } from './document/names.ts';
import { readSourceDocuments, type SourceDocument } from './document/source-document.ts';
import { noDocument, type ParsedDocument, type TextOrigin } from './parse-policies.ts';
import { camelCase, withCamelCaseKeys } from './plugins/camel-case-keys.ts';
import { toPluginPolicy } from './plugins/plugin-policy.ts';
import { pluginSchema, pluginsFileSchema } from './plugins/plugin-schema.ts';

/** Orders are 10, 20, …: room between them for policies of other files. */
const ORDER_STEP = 10;

/**
 * The plugins of a `plugins.yaml` as policies, in registration order. A broken entry is a fault as of `parsePolicies` and does
 * not take the others down. A name that stands twice means the later entry, at its later place, as the reference has it. Never throws.
 */
export function parsePluginsFile(text: string, origin: TextOrigin): readonly ParsedDocument[] {
  const isSameKey = (written: string, named: PropertyKey | undefined): boolean =>
    written === named || camelCase(written) === named;
  const sources = readSourceDocuments(text, origin.location, isSameKey);
  if (sources.length === 0) return [{ result: noDocument(origin) }];
  const entries = sources.flatMap((source) => readEntries(source, origin));
  return inOrder(replaceEarlier(entries));
}

function readEntries(source: SourceDocument, origin: TextOrigin): readonly ParsedDocument[] {
  const { value } = source;
  if (isFault(value)) return [{ result: value }];
  const place = { location: origin.location, positionOf: source.positionOf };
  const file = checkDocument(pluginsFileSchema, value, place);
  if (isFault(file)) return [{ result: file }];
  return (file.plugins ?? []).map((plugin, index) =>
    readEntry(plugin, { ...place, path: ['plugins', index] }, { source, origin }),
  );
}

interface EntryContext {
  readonly source: SourceDocument;
  readonly origin: TextOrigin;
}

function readEntry(
  entry: unknown,
  place: DocumentPlace & { readonly path: readonly PropertyKey[] },
  { source, origin }: EntryContext,
): ParsedDocument {
  const plugin = checkDocument(pluginSchema, withCamelCaseKeys(entry), place);
  if (isFault(plugin)) {
    const name = source.textAt([...place.path, 'metadata', 'name']);
    return name !== undefined && isSubdomain(name) ? { result: plugin, name } : { result: plugin };
  }
  const { line } = source.positionOf(place.path);
  const { policy, warnings } = toPluginPolicy(plugin, 0, { ...origin, line });
  return warnings.length === 0 ? { result: policy } : { result: policy, warnings };
}

function replaceEarlier(entries: readonly ParsedDocument[]): readonly ParsedDocument[] {
  const last = new Map(entries.map((entry, index) => [nameOf(entry), index]));
  return entries
    .filter((entry, index) => isFault(entry.result) || last.get(nameOf(entry)) === index)
    .map((entry) => {
      const name = nameOf(entry);
      const isRepeated = name !== undefined && entries.filter((other) => nameOf(other) === name).length > 1;
      if (!isRepeated) return entry;
      const warning = `plugin \`${name}\` stands more than once, the last one counts`;
      return { ...entry, warnings: [...(entry.warnings ?? []), warning] };
    });
}

function nameOf({ result }: ParsedDocument): string | undefined {
  return isFault(result) ? undefined : result.metadata.name;
}

function inOrder(entries: readonly ParsedDocument[]): readonly ParsedDocument[] {
  return entries.map((entry, index) => {
    const { result } = entry;
    if (isFault(result)) return entry;
    return { ...entry, result: { ...result, spec: { ...result.spec, order: (index + 1) * ORDER_STEP } } };
  });
}
