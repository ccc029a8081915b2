import { checkCoverage } from './check-coverage.ts';
import { checkDefinitions } from './check-definitions.ts';
import { checkEndpoint } from './check-endpoint.ts';
import { checkExemptions } from './check-exemptions.ts';
import { checkPermissions } from './check-permissions.ts';
import { checkWebhooks } from './check-webhooks.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import type { Finding } from './finding.ts';

const CHECKS: readonly ((facts: ClusterFacts) => Finding[])[] = [
  checkExemptions,
  checkWebhooks,
  checkCoverage,
  checkEndpoint,
  checkDefinitions,
  checkPermissions,
];

/** Compares what the policies need with what the cluster has. Pure: the same facts give the same findings. */
export function diagnose(facts: ClusterFacts): readonly Finding[] {
  return CHECKS.flatMap((check) => check(facts));
}
