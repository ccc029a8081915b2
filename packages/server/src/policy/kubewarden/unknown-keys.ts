import { nearestWord } from '../../kernel/nearest-word.ts';
import { formatPath, type DocumentPlace } from '../document/document-problems.ts';
import type { DocumentPath } from '../document/source-document.ts';
import { kubewardenGroupSchema, kubewardenPolicySchema, readableKind } from './policies-yml-schema.ts';

const KINDS_KEY = 'contextAwareResources';
const POLICY_KEYS = Object.keys(kubewardenPolicySchema.shape);
const GROUP_KEYS = Object.keys(kubewardenGroupSchema.shape);
const MEMBER_KEYS = Object.keys(kubewardenGroupSchema.shape.policies.valueType.shape);
const KIND_KEYS = Object.keys(readableKind.shape);
/** More in one entry are not told one by one. */
const MAX_TOLD = 10;

/** What stands in an entry and means nothing to the policy-server, which says nothing about it: a warning each, with its place. */
export function unknownKeys(entry: object, isGroup: boolean, place: DocumentPlace): readonly string[] {
  const paths = isGroup ? inGroup(entry) : inProgram(entry, POLICY_KEYS);
  const told = paths.slice(0, MAX_TOLD).map(({ path, known }) => {
    const whole = [...(place.path ?? []), ...path];
    const position = place.positionOf(whole);
    const where = position === undefined ? '' : `:${position.line}:${position.column}`;
    const near = nearestWord(String(path.at(-1)), known);
    const hint = near === undefined ? '' : `, did you mean \`${near}\`?`;
    return `${place.location}${where}: ${formatPath(whole)}: unknown key, it has no effect${hint}`;
  });
  if (paths.length > told.length)
    told.push(`${place.location}: and ${paths.length - told.length} more unknown keys`);
  return told;
}

interface Unknown {
  readonly path: DocumentPath;
  readonly known: readonly string[];
}

function inGroup(entry: object): readonly Unknown[] {
  const members: unknown = 'policies' in entry ? entry.policies : undefined;
  const nested = Object.entries(isMapping(members) ? members : {}).flatMap(([name, member]) =>
    isMapping(member) ? under(['policies', name], inProgram(member, MEMBER_KEYS)) : [],
  );
  return [...inMapping(entry, GROUP_KEYS), ...nested];
}

function inProgram(entry: object, known: readonly string[]): readonly Unknown[] {
  const kinds: unknown = KINDS_KEY in entry ? entry[KINDS_KEY] : undefined;
  const nested = (Array.isArray(kinds) ? kinds : []).flatMap((kind: unknown, index) =>
    isMapping(kind) ? under([KINDS_KEY, index], inMapping(kind, KIND_KEYS)) : [],
  );
  return [...inMapping(entry, known), ...nested];
}

function inMapping(entry: object, known: readonly string[]): readonly Unknown[] {
  return Object.keys(entry)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [key], known }));
}

function under(prefix: DocumentPath, unknown: readonly Unknown[]): readonly Unknown[] {
  return unknown.map(({ path, known }) => ({ path: [...prefix, ...path], known }));
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
