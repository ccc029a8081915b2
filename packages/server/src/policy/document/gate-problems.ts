import type { GateName, Match, Phase } from '@portcullis/contract';
import type { z } from 'zod';
import { isAccessGate } from '../access-gate.ts';

/** A key that has no meaning where it stands. */
export interface KeyProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface GateSpec {
  readonly gate: GateName;
  readonly phase: Phase;
  readonly match: Match;
  readonly systemNames?: readonly string[];
}

const ACCESS_KEYS = ['verbs', 'nonResourceURLs', 'users', 'groups'] as const;
const OBJECT_KEYS = ['operations', 'namespaceSelector', 'objectSelector'] as const;

/** Keys of `match` that say nothing about the reviews of a gate; of those that are not here, only {@link ACCESS_KEYS}. */
const MEANINGLESS: ReadonlyMap<GateName, readonly (keyof Match)[]> = new Map<GateName, (keyof Match)[]>([
  ['authentication', [...OBJECT_KEYS, 'resources', 'namespaces', 'excludedNamespaces', ...ACCESS_KEYS]],
  ['authorization', [...OBJECT_KEYS]],
]);

/** What a policy of the gate cannot have. A rule that is never looked at would be taken for one that holds. */
export function gateProblems({ gate, phase, match, systemNames }: GateSpec): KeyProblem[] {
  const problems = matchProblems(match, gate);
  if (systemNames !== undefined && gate !== 'authentication') {
    problems.push({
      path: ['systemNames'],
      message: `has no meaning at the gate \`${gate}\`, only at \`authentication\``,
    });
  }
  if (isAccessGate(gate) && phase === 'mutate') {
    problems.push({
      path: ['phase'],
      message: `at the gate \`${gate}\` nothing is changed, use \`validate\``,
    });
  }
  return problems;
}

/** An expression makes no user, and of members without an opinion no verdict. */
export function groupGateProblems({ gate, match }: Omit<GateSpec, 'phase'>): KeyProblem[] {
  if (!isAccessGate(gate)) return matchProblems(match, gate);
  return [{ path: ['gate'], message: `groups do not answer the gate \`${gate}\`, write policies for it` }];
}

/** Who may write policies in one namespace must not make users or give rights by them. */
export function namespacedGateProblems({ gate }: Pick<GateSpec, 'gate'>): KeyProblem[] {
  if (!isAccessGate(gate)) return [];
  return [
    { path: ['gate'], message: `the gate \`${gate}\` is not for namespaced policies, use a \`Policy\`` },
  ];
}

export function admissionMatchProblems(match: Match): KeyProblem[] {
  return matchProblems(match, 'admission', []);
}

export function reportProblems(
  problems: readonly KeyProblem[],
  context: z.RefinementCtx,
  prefix: readonly string[] = [],
): void {
  for (const { path, message } of problems) {
    context.addIssue({ code: 'custom', path: [...prefix, ...path], message });
  }
}

function matchProblems(match: Match, gate: GateName, prefix = ['match']): KeyProblem[] {
  const problems: KeyProblem[] = [];
  for (const key of MEANINGLESS.get(gate) ?? ACCESS_KEYS) {
    const value = match[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    problems.push({
      path: [...prefix, key],
      message: `has no meaning at the gate \`${gate}\`${hint(gate, key)}`,
    });
  }
  if (gate !== 'authorization') return problems;
  for (const [index, { operations }] of match.resources.entries()) {
    if (operations === undefined) continue;
    const path = [...prefix, 'resources', index, 'operations'];
    problems.push({ path, message: 'has no meaning at the gate `authorization`, use `verbs`' });
  }
  return problems;
}

function hint(gate: GateName, key: keyof Match): string {
  if (gate === 'authorization')
    return key === 'operations' ? ', use `verbs`' : ', use `namespaces` or `conditions`';
  if (gate === 'authentication') return ', use `conditions`';
  return ', only at `authorization`';
}
