import type { Operation } from '@portcullis/contract';
import { OPERATIONS, type WantedKind } from './wanted-kind.ts';

/** A rule of a webhook, in the form of admissionregistration.k8s.io/v1. */
export interface WebhookRule {
  readonly operations: readonly (Operation | '*')[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: WantedKind['scope'];
}

const FIELDS = ['group', 'version', 'resource', 'subresource', 'scope'] as const;
type Kind = Pick<WantedKind, (typeof FIELDS)[number]>;

/** A kind with its operations as bits, in the order of {@link OPERATIONS}. */
interface Atom extends Kind {
  mask: number;
}

const ALL_BITS = (1 << OPERATIONS.length) - 1;

/**
 * The fewest rules that say exactly the union of what is wanted: what a wider one covers is dropped, then rules that differ in
 * one list are joined. In a definite order, and of a form that API servers accept (`*` alone, no resources that overlap).
 */
export function webhookRules(kinds: readonly WantedKind[]): WebhookRule[] {
  const atoms = collect(kinds);
  joinScopes(atoms);
  const rules = uncovered(atoms).map(ruleOf);
  return (['resources', 'apiGroups', 'apiVersions'] as const)
    .reduce((joined, list) => join(joined, list), rules)
    .sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b)));
}

function collect(kinds: readonly WantedKind[]): Map<string, Atom> {
  const atoms = new Map<string, Atom>();
  for (const { operations, ...kind } of kinds) {
    const mask = operations.reduce((bits, operation) => bits | (1 << OPERATIONS.indexOf(operation)), 0);
    add(atoms, { ...kind, mask });
  }
  return atoms;
}

function add(atoms: Map<string, Atom>, atom: Atom): void {
  const key = keyOf(atom);
  const known = atoms.get(key);
  if (known === undefined) atoms.set(key, atom);
  else known.mask |= atom.mask;
}

function keyOf(kind: Kind): string {
  return FIELDS.map((field) => kind[field]).join(' ');
}

/** What is wanted in both scopes is wanted in `*`. */
function joinScopes(atoms: Map<string, Atom>): void {
  for (const atom of atoms.values()) {
    if (atom.scope !== 'Namespaced') continue;
    const other = atoms.get(keyOf({ ...atom, scope: 'Cluster' }));
    const mask = atom.mask & (other?.mask ?? 0);
    if (mask !== 0) add(atoms, { ...atom, scope: '*', mask });
  }
}

/** Atoms without the operations that a wider atom has too. */
function uncovered(atoms: ReadonlyMap<string, Atom>): Atom[] {
  // Where nobody says `*` nothing is wider.
  const fields = FIELDS.filter((field) => atoms.values().some((atom) => atom[field] === '*'));
  const kept: Atom[] = [];
  for (const [key, atom] of atoms) {
    let { mask } = atom;
    for (const wider of widerThan(atom, fields)) {
      const widerKey = keyOf(wider);
      if (widerKey !== key) mask &= ~(atoms.get(widerKey)?.mask ?? 0);
    }
    if (mask !== 0) kept.push({ ...atom, mask });
  }
  return kept;
}

/** At most 32 combinations, so that thousands of kinds need no comparison of each with each. */
function widerThan(atom: Kind, fields: readonly (keyof Kind)[]): Kind[] {
  let wider: Kind[] = [atom];
  for (const field of fields) {
    wider = wider.flatMap((kind) => (kind[field] === '*' ? [kind] : [kind, { ...kind, [field]: '*' }]));
  }
  return wider;
}

function ruleOf({ mask, group, version, resource, subresource, scope }: Atom): WebhookRule {
  return {
    operations: mask === ALL_BITS ? ['*'] : OPERATIONS.filter((_, index) => (mask & (1 << index)) !== 0),
    apiGroups: [group],
    apiVersions: [version],
    resources: [subresource === '' ? resource : `${resource}/${subresource}`],
    scope,
  };
}

/** Rules that are the same but for one list become one. */
function join(rules: readonly WebhookRule[], list: 'resources' | 'apiGroups' | 'apiVersions'): WebhookRule[] {
  const same = Map.groupBy(rules, (rule) => JSON.stringify({ ...rule, [list]: [] }));
  return Array.from(same.values(), (members) => ({
    ...(members[0] as WebhookRule),
    [list]: members.flatMap((rule) => rule[list]).sort(compare),
  }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
