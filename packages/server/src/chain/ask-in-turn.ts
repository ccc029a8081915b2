import type { Decision, Review } from '@portcullis/contract';
import { ask, type AskPorts } from './ask.ts';
import type { Finding } from './finding.ts';
import { contributionOf } from './finish.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import { checkFinding, type AccessVerdict } from './settle-access.ts';

interface Turn {
  readonly finding: Finding;
  readonly verdict: AccessVerdict;
}

/** One policy after another; the first that does not abstain decides, and those behind it are not asked. */
export async function askInTurn(
  { policies, revision }: { readonly policies: readonly LoadedPolicy[]; readonly revision: number },
  review: Review,
  { settle, ...ports }: AskPorts & { readonly settle: (finding: Finding) => AccessVerdict },
): Promise<Decision> {
  const turns: Turn[] = [];
  for (const loaded of policies) {
    const found = await ask(loaded, review, ports);
    if (found === undefined) continue;
    const finding = checkFinding(found, review);
    const verdict = settle(finding);
    turns.push({ finding, verdict });
    if (verdict.outcome !== 'abstain') break;
  }
  return conclude(turns, revision);
}

/** Without any policy, or any opinion: nobody is let in, and nothing is allowed. */
function conclude(turns: readonly Turn[], revision: number): Decision {
  const last = turns.at(-1)?.verdict;
  const outcome = last?.outcome ?? 'abstain';
  const errors = turns.flatMap((turn) => named(turn, turn.verdict.error));
  const message = reasonsOf(turns).join('; ');
  return {
    outcome,
    ...(message === '' ? {} : { message }),
    causes: [],
    warnings: [],
    auditAnnotations: {},
    ...(last?.outcome === 'allow' && last.user !== undefined ? { user: last.user } : {}),
    ...(last?.outcome === 'allow' && last.audiences !== undefined ? { audiences: last.audiences } : {}),
    ...(errors.length === 0 ? {} : { error: errors.join('; ') }),
    contributions: turns.map(({ finding }) => contributionOf(finding)),
    revision,
  };
}

/** Who decides tells why; what others would have said is told with it. */
function reasonsOf(turns: readonly Turn[]): readonly string[] {
  return turns.flatMap((turn) => named(turn, turn.verdict.message));
}

function named({ finding }: Turn, text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : [`[${finding.loaded.policy.metadata.name}] ${text}`];
}
