import type { JsonValue, Mode, Policy, PolicyOrigin, PolicySpec } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { compileGroupExpression, membersAsked } from '../group/group-expression.ts';
import type {
  KubewardenGroupEntry,
  KubewardenPolicyEntry,
  KubewardenProgram,
} from './policies-yml-schema.ts';

/** How the entries of a `policies.yml` become policies. */
export interface KubewardenReading {
  /**
   * `name`: asked only by requests that name them, as the policy-server does. `match`: ordinary policies that match everything,
   * because the file does not say what its policies are asked about.
   */
  readonly reach: 'name' | 'match';
  /** Milliseconds of one evaluation where the entry does not say. */
  readonly timeoutMs: number;
  /** Whether clients are told what a policy in monitor mode would have denied. */
  readonly monitorWarnings: boolean;
}

export interface KubewardenPolicy {
  readonly policy: Policy;
  readonly warnings: readonly string[];
}

/** No API server waits longer. */
const MAX_TIMEOUT = 30_000;
/** The policy-server has no limit of memory; runtimes of Go and JavaScript begin with tens of mebibytes. */
const MEMORY_BYTES = 256 * 1024 ** 2;
/** So much that the time is what ends an evaluation. */
const FUEL = 1e11;

/** Policies in Rego see the kinds that are named for them without more words; others cannot ask for it. */
const INVENTORY = 'kubernetes/inventory';

type Common = Omit<PolicySpec, 'module' | 'settings' | 'limits' | 'capabilities'>;

/** The policy that an entry is. */
export function toKubewardenPolicy(
  id: string,
  entry: KubewardenPolicyEntry,
  reading: KubewardenReading,
  origin: PolicyOrigin,
): KubewardenPolicy {
  const { allowedToMutate, message } = entry;
  const { reach } = reading;
  const isNamed = reach === 'name';
  const program = readProgram(id, entry, reading);
  const policy: Policy = {
    metadata: metadataOf(id),
    spec: {
      ...common(entry.policyMode, reading),
      // Whether a change is allowed is decided after the policy was asked: an audit is told what it said.
      phase: isNamed || allowedToMutate ? 'mutate' : 'validate',
      ...program.spec,
      ...(message === undefined || message === '' ? {} : { message }),
    },
    origin,
    ...(isNamed ? { byName: { mayMutate: allowedToMutate } } : {}),
  };
  return { policy, warnings: program.warnings };
}

/** The group that an entry is. PC_POLICY_CONDITION when the expression is none. */
export function toKubewardenGroup(
  id: string,
  { policies, expression, message, policyMode }: KubewardenGroupEntry,
  reading: KubewardenReading,
  origin: PolicyOrigin,
): KubewardenPolicy | Fault {
  const names = Object.keys(policies);
  const asked = membersAsked(expression, names);
  if (isFault(asked)) return asked;
  const used = names.filter((name) => asked.has(name));
  const compiled = compileGroupExpression(expression, used);
  if (isFault(compiled)) return compiled;
  const spec = common(policyMode, reading);
  const byName = reading.reach === 'name' ? { byName: { mayMutate: false } } : {};
  const warnings = names
    .filter((name) => !asked.has(name))
    .map((name) => `group \`${id}\`: the expression never asks \`${name}\`, so it is not loaded`);
  const members = used.map((name): [string, Policy] => {
    const program = readProgram(`${id}/${name}`, policies[name] as KubewardenProgram, reading);
    warnings.push(...program.warnings);
    return [
      name,
      {
        metadata: metadataOf(`${id}/${name}`),
        spec: { ...spec, phase: reading.reach === 'name' ? 'mutate' : 'validate', ...program.spec },
        origin,
        ...byName,
      },
    ];
  });
  const limits = members.map(([, member]) => member.spec.limits);
  const policy: Policy = {
    metadata: metadataOf(id),
    spec: {
      ...spec,
      message,
      module: {},
      settings: null,
      capabilities: [],
      limits: {
        // Members are asked one after another, and nobody waits longer than that.
        timeoutMs: Math.min(
          MAX_TIMEOUT,
          limits.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0),
        ),
        memoryBytes: MEMORY_BYTES,
        fuel: FUEL,
      },
    },
    origin,
    group: { expression, members: Object.fromEntries(members) },
    ...byName,
  };
  return { policy, warnings };
}

function metadataOf(name: string): Policy['metadata'] {
  return { name, labels: {}, annotations: {} };
}

function common(
  policyMode: KubewardenPolicyEntry['policyMode'],
  { monitorWarnings }: KubewardenReading,
): Common {
  const monitor: Mode = monitorWarnings ? 'warn' : 'audit';
  return {
    gate: 'admission',
    phase: 'validate',
    order: 100,
    mode: policyMode === 'monitor' ? monitor : 'enforce',
    failurePolicy: 'Fail',
    match: { operations: [], resources: [], namespaces: [], excludedNamespaces: [], conditions: [] },
    enabled: true,
  };
}

interface ReadProgram {
  readonly spec: Pick<
    PolicySpec,
    'module' | 'settings' | 'limits' | 'capabilities' | 'contextAwareResources'
  >;
  readonly warnings: readonly string[];
}

function readProgram(name: string, entry: KubewardenProgram, reading: KubewardenReading): ReadProgram {
  const { module, settings, contextAwareResources: kinds, hostCapabilities, timeoutEvalSeconds } = entry;
  const wanted = timeoutEvalSeconds === undefined ? reading.timeoutMs : timeoutEvalSeconds * 1000;
  const warnings: string[] = [];
  if (wanted > MAX_TIMEOUT) {
    warnings.push(`policy \`${name}\`: \`timeoutEvalSeconds\` is taken as 30, no API server waits longer`);
  }
  return {
    spec: {
      module,
      // It was read as a JsonValue, and the schema hands it through.
      settings: settings as JsonValue,
      limits: { timeoutMs: Math.min(wanted, MAX_TIMEOUT), memoryBytes: MEMORY_BYTES, fuel: FUEL },
      capabilities: kinds.length === 0 ? hostCapabilities : [...hostCapabilities, INVENTORY],
      ...(kinds.length === 0
        ? {}
        : { contextAwareResources: kinds.map(({ apiVersion, kind }) => ({ apiVersion, kind })) }),
    },
    warnings,
  };
}
