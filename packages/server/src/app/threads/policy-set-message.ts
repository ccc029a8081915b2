import type { JsonValue, Policy, PolicyException } from '@portcullis/contract';
import { compareOrder, type PolicySet, type PreparedPolicy } from '../../chain/policy-set.ts';
import type { Steps } from '../../kernel/in-slices.ts';
import { parseExact } from '../../kernel/json/exact-json.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';

/**
 * What turns the set that a gate thread has into the next one. Policies travel as text, one each: their settings may hold
 * numbers that keep their source text, and those objects cannot be cloned. Structured-cloneable.
 */
export interface PolicySetMessage {
  readonly revision: number;
  /** Revision of the set that it changes; 0: none, everything is here. */
  readonly base: number;
  /** Fingerprints of policies that are no more. */
  readonly removed: readonly string[];
  /** New and changed policies, in their order. */
  readonly added: readonly string[];
  /** All of them, as one text: they are few. */
  readonly exceptions: string;
  /** What they run, as far as the base does not have it. */
  readonly modules: ReadonlyMap<string, object>;
}

/** Without `base` the whole set. */
export function encodePolicySet(set: PolicySet, base?: PolicySet): PolicySetMessage {
  const before = new Set(base?.policies.map(({ fingerprint }) => fingerprint));
  const now = new Set(set.policies.map(({ fingerprint }) => fingerprint));
  return {
    revision: set.revision,
    base: base?.revision ?? 0,
    removed: [...before].filter((fingerprint) => !now.has(fingerprint)),
    added: set.policies.filter(({ fingerprint }) => !before.has(fingerprint)).map(encodePolicy),
    exceptions: stringifyExact(set.exceptions as unknown as JsonValue),
    modules: new Map([...set.modules].filter(([key]) => base?.modules.has(key) !== true)),
  };
}

/** The set that the message makes of `held`; undefined when it changes another one. */
export function* decodePolicySet(
  message: PolicySetMessage,
  held: PolicySet | undefined,
): Steps<PolicySet | undefined> {
  const { revision, base } = message;
  if (base !== 0 && base !== held?.revision) return undefined;
  const from = base === 0 ? undefined : held;
  const added: PreparedPolicy[] = [];
  for (const text of message.added) {
    added.push(parseExact(text) as unknown as PreparedPolicy);
    yield;
  }
  const removed = new Set(message.removed);
  const kept = (from?.policies ?? []).filter(({ fingerprint }) => !removed.has(fingerprint));
  yield;
  const policies = merge(kept, added);
  yield;
  const exceptions = parseExact(message.exceptions) as unknown as readonly PolicyException[];
  return { revision, policies, exceptions, modules: modulesOf(policies, [from?.modules, message.modules]) };
}

function encodePolicy({ policy, ...prepared }: PreparedPolicy): string {
  // Prepared policies are JSON throughout.
  return stringifyExact({ ...prepared, policy: withoutCode(policy) } as unknown as JsonValue);
}

/** The code is sent compiled: the text of an inline module would be there once for each policy and thread. */
function withoutCode(policy: Policy): Policy {
  const { spec, group } = policy;
  const { inline: _code, ...module } = spec.module;
  const bare = { ...policy, spec: { ...spec, module } };
  if (group === undefined) return bare;
  const members = Object.entries(group.members).map(([name, member]) => [name, withoutCode(member)]);
  return { ...bare, group: { ...group, members: Object.fromEntries(members) as typeof group.members } };
}

/** Two lists in order become one. */
function merge(kept: readonly PreparedPolicy[], added: readonly PreparedPolicy[]): readonly PreparedPolicy[] {
  const merged: PreparedPolicy[] = [];
  let at = 0;
  for (const policy of kept) {
    for (let next = added[at]; next !== undefined && compareOrder(next, policy) < 0; next = added[++at]) {
      merged.push(next);
    }
    merged.push(policy);
  }
  return merged.concat(added.slice(at));
}

/** Of the modules that are there, those that are still used. */
function modulesOf(
  policies: readonly PreparedPolicy[],
  known: readonly (ReadonlyMap<string, object> | undefined)[],
): ReadonlyMap<string, object> {
  const used = new Set(policies.flatMap(({ programs }) => programs.map(({ module }) => module)));
  return new Map(known.flatMap((modules) => [...(modules ?? [])].filter(([key]) => used.has(key))));
}
