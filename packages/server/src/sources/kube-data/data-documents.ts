import type { KeyReference, ModuleReference, Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { parsePluginsFile } from '../../policy/parse-plugins-file.ts';
import {
  isException,
  parseDocuments,
  type ParsedDocument,
  type PolicyDocument,
} from '../../policy/parse-policies.ts';
import { parsePluginRegistration } from '../../policy/parse-plugin-registration.ts';
import { locationOf, type DataKind, type DataObject } from './data-object.ts';

const DOCUMENT = /\.(?:ya?ml|json)$/;
const PLUGINS = /^plugins\.ya?ml$/;
const MODULE = /\.wasm$/;

/** As of policies that say nothing about it. */
const ORDER = 100;

/** What a plugin that is nothing but a module in an object says about itself, as annotations. */
const ANNOTATIONS = {
  version: 'portcullis.dev/version',
  description: 'portcullis.dev/description',
  sha256: 'portcullis.dev/sha256',
  operations: 'portcullis.dev/operations',
  failOpen: 'portcullis.dev/fail-open',
  mutating: 'portcullis.dev/mutating',
  config: 'portcullis.dev/config',
} as const;

/**
 * The documents of a ConfigMap or Secret: those of its keys `*.yaml`, `*.yml` and `*.json` (`plugins.yaml` is a plugins file),
 * where a module's `file` is another key of the object; or, without such keys, its one module as a plugin of the object's name.
 */
export function documentsOf(
  data: DataObject,
  { place }: DataKind,
): readonly ParsedDocument<PolicyDocument>[] {
  const keys = [...data.values.keys()].sort();
  const documents = keys.filter((key) => DOCUMENT.test(key));
  if (documents.length === 0)
    return [
      onlyModule(
        data,
        place,
        keys.filter((key) => MODULE.test(key)),
      ),
    ];
  return documents.flatMap((key) => {
    const text = data.values.get(key)?.toString('utf8') ?? '';
    const origin = { source: place.toLowerCase(), location: `${locationOf(data)}/${key}` };
    const parsed = PLUGINS.test(key) ? parsePluginsFile(text, origin) : parseDocuments(text, origin);
    return parsed.map((document) => ({ ...document, result: withOwnModules(document.result, data, place) }));
  });
}

function onlyModule(data: DataObject, place: DataKind['place'], modules: readonly string[]): ParsedDocument {
  const { name, namespace, annotations } = data;
  const location = locationOf(data);
  const [key, ...others] = modules;
  if (key === undefined || others.length > 0) {
    const found = key === undefined ? 'no key `*.wasm`' : `${modules.length} keys \`*.wasm\``;
    return {
      name,
      result: new Fault(
        'PC_POLICY_VALUE',
        `${location}: holds ${found} and no \`plugins.yaml\` that says what to load`,
      ),
    };
  }
  const config = parseConfig(annotations[ANNOTATIONS.config], location);
  if (isFault(config)) return { name, result: config };
  const reference: KeyReference = { name, key, namespace };
  const text = (annotation: keyof typeof ANNOTATIONS): string | undefined =>
    annotations[ANNOTATIONS[annotation]];
  const flag = (annotation: keyof typeof ANNOTATIONS): boolean => text(annotation) === 'true';
  const operations = text('operations')
    ?.split(',')
    .map((operation) => operation.trim());
  const entry = {
    metadata: {
      name,
      version: text('version') ?? '0',
      ...given('description', text('description')),
      ...given('sha256', text('sha256')),
    },
    [place === 'secret' ? 'secretRef' : 'configMapRef']: reference,
    ...given('operations', operations),
    failOpen: flag('failOpen'),
    mutating: flag('mutating'),
    ...given('pluginConfig', config),
  };
  return { name, result: parsePluginRegistration(entry, ORDER, { source: place.toLowerCase(), location }) };
}

function parseConfig(text: string | undefined, location: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return new Fault('PC_POLICY_SYNTAX', `${location}: the annotation \`${ANNOTATIONS.config}\` is no JSON`);
  }
}

function given(key: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [key]: value };
}

/** A file beside the document is a key beside it. */
function withOwnModules(
  result: PolicyDocument | Fault,
  data: DataObject,
  place: DataKind['place'],
): PolicyDocument | Fault {
  if (isFault(result) || isException(result)) return result;
  const missing = filesOf(result).find((file) => !data.values.has(file));
  if (missing !== undefined) {
    return new Fault(
      'PC_MODULE_MISSING',
      `${result.origin.location}: there is no key \`${missing}\` beside it`,
    );
  }
  return refer(result, data, place);
}

function filesOf({ spec, group }: Policy): readonly string[] {
  const own = spec.module.file === undefined ? [] : [spec.module.file];
  return group === undefined ? own : Object.values(group.members).flatMap(filesOf);
}

function refer(policy: Policy, data: DataObject, place: DataKind['place']): Policy {
  const { spec, group } = policy;
  const members =
    group === undefined
      ? {}
      : {
          group: {
            ...group,
            members: Object.fromEntries(
              Object.entries(group.members).map(([name, member]) => [name, refer(member, data, place)]),
            ),
          },
        };
  const { file, ...rest } = spec.module;
  if (file === undefined) return { ...policy, ...members };
  const module: ModuleReference = {
    ...rest,
    [place]: { name: data.name, namespace: data.namespace, key: file },
  };
  return { ...policy, spec: { ...spec, module }, ...members };
}
