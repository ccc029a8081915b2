import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import { checkDocument } from '../../policy/document/document-problems.ts';
import { normalizeBase64 } from '../../policy/document/base64.ts';
import { readSourceDocuments, type SourceDocument } from '../../policy/document/source-document.ts';
import { nameSchema, namespaceSchema } from '../../policy/document/value-schemas.ts';
import {
  noDocument,
  parseDocument,
  type ParsedDocument,
  type PolicyDocument,
  type TextOrigin,
} from '../../policy/parse-policies.ts';
import { documentsOf } from '../../sources/kube-data/data-documents.ts';
import { CONFIG_MAPS, SECRETS, toDataObject } from '../../sources/kube-data/data-object.ts';
import type { DataShelf } from './data-shelf.ts';

export interface ManifestContext {
  readonly shelf: DataShelf;
  /** The server's own, where manifests without a namespace are applied. */
  readonly namespace: string;
}

type Parsed = readonly ParsedDocument<PolicyDocument>[];

/**
 * The documents of a file as `kubectl apply` would bring them to a server: ConfigMaps and Secrets go to the shelf, those that
 * the server takes for plugins are policies too, and everything else has to be a policy, a group or an exception.
 */
export function parseManifests(text: string, origin: TextOrigin, context: ManifestContext): Parsed {
  const sources = readSourceDocuments(text, origin.location);
  if (sources.length === 0) return [{ result: noDocument(origin) }];
  return sources.flatMap((source) => {
    const kind = source.textAt(['kind']);
    return kind === CONFIG_MAPS.resource.kind || kind === SECRETS.resource.kind
      ? parseData(source, origin, context)
      : [parseDocument(source, origin)];
  });
}

const values = z.record(z.string(), z.string()).default({});
const base64Values = z
  .record(
    z.string(),
    z.string().refine((value) => normalizeBase64(value) !== undefined, 'is not standard base64 with padding'),
  )
  .default({});

const metadata = z.looseObject({
  name: nameSchema,
  namespace: namespaceSchema.exactOptional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** The API server reads these; here it is only what we use of them that has to be right. */
const dataSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata,
    data: values,
    binaryData: base64Values,
  }),
  z.looseObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Secret'),
    metadata,
    data: base64Values,
    stringData: values,
  }),
]);

function parseData(source: SourceDocument, origin: TextOrigin, context: ManifestContext): Parsed {
  const { value } = source;
  const place = { location: origin.location, positionOf: source.positionOf };
  const manifest = isFault(value) ? value : checkDocument(dataSchema, value, place);
  if (isFault(manifest)) return [{ result: manifest }];
  const { namespace } = context;
  const data = toDataObject({
    ...manifest,
    metadata: { namespace, ...manifest.metadata },
    ...(manifest.kind === 'Secret' ? { data: { ...manifest.data, ...encoded(manifest.stringData) } } : {}),
  });
  const refused = context.shelf.put(data);
  if (refused !== undefined) {
    return [{ result: new Fault(refused.code, `${origin.location}:${source.line}: ${refused.message}`) }];
  }
  const isPlugin = manifest.kind === 'ConfigMap' && manifest.metadata.labels[PLUGIN_LABEL] === 'true';
  return isPlugin && data.namespace === namespace ? documentsOf(data, CONFIG_MAPS) : [];
}

/** As of `kubernetes.configMaps`, where the configuration says nothing else. */
const PLUGIN_LABEL = 'portcullis.dev/plugin';

function encoded(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
}
