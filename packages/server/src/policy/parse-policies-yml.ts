import { Fault, isFault } from '../kernel/fault.ts';
import { isRawNumber } from '../kernel/json/exact-json.ts';
import { checkDocument, formatPath, type DocumentPlace } from './document/document-problems.ts';
import { readSourceDocuments, type SourceDocument } from './document/source-document.ts';
import {
  toKubewardenGroup,
  toKubewardenPolicy,
  type KubewardenReading,
} from './kubewarden/kubewarden-policy.ts';
import {
  kubewardenGroupSchema,
  kubewardenPolicySchema,
  nameProblem,
} from './kubewarden/policies-yml-schema.ts';
import { unknownKeys } from './kubewarden/unknown-keys.ts';
import type { ParsedDocument, TextOrigin } from './parse-policies.ts';

/**
 * The policies and groups of a `policies.yml` of Kubewarden's policy-server, each under its id. A broken entry is a fault as of
 * `parsePolicies` and does not take the others down; a key that the policy-server passes over is a warning. An empty mapping is a
 * file without policies, an empty file is a fault: one that is being written is empty for a moment. Never throws.
 */
export function parsePoliciesYml(
  text: string,
  origin: TextOrigin,
  reading: KubewardenReading,
): readonly ParsedDocument[] {
  const { location } = origin;
  const [source, second] = readSourceDocuments(text, location);
  if (source === undefined) {
    const what = 'holds nothing; write policies under their ids, or `{}` when there are none';
    return [{ result: new Fault('PC_POLICY_SYNTAX', `${location}: ${what}`) }];
  }
  if (second !== undefined) {
    const what = `${location}:${second.line}: there is a second document; a \`policies.yml\` is one mapping`;
    return [{ result: new Fault('PC_POLICY_SYNTAX', what) }];
  }
  const { value } = source;
  const members = source.members();
  if (members === undefined && isFault(value)) return [{ result: value }];
  if (members === undefined) {
    const what = `${location}:${source.line}: must be a mapping of ids to policies`;
    return [{ result: new Fault('PC_POLICY_VALUE', what) }];
  }
  return members.map(([id, entry]) =>
    isFault(entry) ? { result: entry, name: id } : readEntry(id, entry, { source, origin, reading }),
  );
}

interface EntryContext {
  readonly source: SourceDocument;
  readonly origin: TextOrigin;
  readonly reading: KubewardenReading;
}

function readEntry(id: string, written: unknown, context: EntryContext): ParsedDocument {
  const { source, origin } = context;
  const position = source.positionOf([id]);
  const here = `${origin.location}:${position.line}:${position.column}: ${formatPath([id])}`;
  const problem = nameProblem(id);
  if (problem !== undefined) return { result: new Fault('PC_POLICY_VALUE', `${here}: ${problem}`) };
  const place = { location: origin.location, positionOf: source.positionOf, path: [id] };
  const warnings: string[] = [];
  const entry = isMapping(written) ? inCurrentWords(written, here, warnings) : written;
  const read = convert(id, entry, place, { ...context, here, line: position.line });
  if (isFault(read)) return { result: read, name: id, ...(warnings.length === 0 ? {} : { warnings }) };
  warnings.push(...read.warnings);
  return { result: read.policy, ...(warnings.length === 0 ? {} : { warnings }) };
}

interface ConvertContext extends EntryContext {
  readonly here: string;
  readonly line: number;
}

function convert(
  id: string,
  entry: unknown,
  place: DocumentPlace,
  { origin, reading, here, line }: ConvertContext,
): ReturnType<typeof toKubewardenGroup> {
  const at = { ...origin, line };
  const isGroup = isMapping(entry) && ('policies' in entry || 'expression' in entry);
  const unknown = isMapping(entry) ? unknownKeys(entry, isGroup, place) : [];
  if (!isGroup) {
    const policy = checkDocument(kubewardenPolicySchema, entry, place);
    if (isFault(policy)) return policy;
    return withWarnings(toKubewardenPolicy(id, policy, reading, at), unknown);
  }
  const group = checkDocument(kubewardenGroupSchema, entry, place);
  if (isFault(group)) return group;
  const read = toKubewardenGroup(id, group, reading, at);
  if (isFault(read)) return new Fault(read.code, `${here}: ${read.message}`, { cause: read });
  return withWarnings(read, unknown);
}

function withWarnings<R extends { readonly warnings: readonly string[] }>(
  read: R,
  more: readonly string[],
): R {
  return more.length === 0 ? read : { ...read, warnings: [...read.warnings, ...more] };
}

/** Without what is null, which stands for absent at every level of ours, and with `module` for the `url` of older files. */
function inCurrentWords(entry: object, here: string, warnings: string[]): object {
  const present = withoutNulls(entry);
  if ('policies' in present && isMapping(present['policies'])) {
    const members = Object.entries(present['policies']).map(([name, member]) => [
      name,
      isMapping(member) ? renamed(withoutNulls(member), `${here}.policies.${name}`, warnings) : member,
    ]);
    return { ...present, policies: Object.fromEntries(members) as object };
  }
  return renamed(present, here, warnings);
}

function renamed(entry: Record<string, unknown>, here: string, warnings: string[]): Record<string, unknown> {
  if (!('url' in entry) || 'module' in entry) return entry;
  const { url, ...rest } = entry;
  warnings.push(`${here}.url: is called \`module\` since 2025`);
  return { module: url, ...rest };
}

function withoutNulls(entry: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null));
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}
