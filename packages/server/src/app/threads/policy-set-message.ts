import type { JsonValue } from '@portcullis/contract';
import type { PolicySet, PreparedPolicy } from '../../chain/policy-set.ts';
import { parseExact } from '../../kernel/json/exact-json.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';

/**
 * A policy set on its way to a gate thread. Policies travel as text: their settings may hold numbers that keep their source
 * text, and those objects cannot be cloned.
 */
export interface PolicySetMessage {
  readonly revision: number;
  readonly policies: string;
  readonly modules: ReadonlyMap<string, object>;
}

export function encodePolicySet({ revision, policies, modules }: PolicySet): PolicySetMessage {
  // Prepared policies are JSON throughout.
  return { revision, policies: stringifyExact(policies as unknown as JsonValue), modules };
}

export function decodePolicySet({ revision, policies, modules }: PolicySetMessage): PolicySet {
  return { revision, policies: parseExact(policies) as unknown as readonly PreparedPolicy[], modules };
}
