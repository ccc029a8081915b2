import type { JsonValue, Match, Operation, Policy, PolicyOrigin, PolicySpec } from '@portcullis/contract';
import type { AdmissionModule, AuthenticationModule, AuthorizationModule } from './wasi-modules-schema.ts';

export interface WasiPolicy {
  readonly spec: Omit<PolicySpec, 'order'>;
  readonly warnings: readonly string[];
}

/** So much that the time is what ends a call. */
const FUEL = 1e11;
const EVERYTHING: Match = {
  operations: [],
  resources: [],
  namespaces: [],
  excludedNamespaces: [],
  conditions: [],
};

/** An error is told to the API server, which then does not remember the answer. */
export function toAuthentication(module: AuthenticationModule): WasiPolicy {
  const { systemNames } = module;
  const given = systemNames === undefined ? {} : { systemNames };
  return { spec: { ...common(module), gate: 'authentication', ...given }, warnings: warningsOf(module) };
}

export function toAuthorization(module: AuthorizationModule): WasiPolicy {
  return {
    spec: {
      ...common(module),
      gate: 'authorization',
      failurePolicy: module.onError === 'deny' ? 'Fail' : 'Ignore',
    },
    warnings: warningsOf(module),
  };
}

export function toAdmission(module: AdmissionModule): WasiPolicy {
  const { type, mutating, rules, onError, removals, removable } = module;
  const isNeverCalled = rules.length === 0;
  const spec: WasiPolicy['spec'] = {
    ...common(module),
    engine: type,
    phase: mutating ? 'mutate' : 'validate',
    failurePolicy: onError === 'ignore' ? 'Ignore' : 'Fail',
    match: { ...EVERYTHING, resources: rules.map(toRule) },
    // No rules would mean everything.
    enabled: !isNeverCalled,
    ...(mutating ? { mutation: { removals, removable } } : {}),
  };
  const never = isNeverCalled ? ['it has no `rules`, so it is never called'] : [];
  return { spec, warnings: [...warningsOf(module), ...never] };
}

function common(module: Omit<AuthenticationModule, 'systemNames'>): WasiPolicy['spec'] {
  const { module: file, sha256, settings, timeout, memory, output, concurrency } = module;
  return {
    gate: 'admission',
    phase: 'validate',
    mode: 'enforce',
    failurePolicy: 'Fail',
    match: EVERYTHING,
    engine: 'wasi',
    module: { file, ...(sha256 === undefined ? {} : { sha256 }) },
    // It was read as a JsonValue, and the schema hands it through.
    settings: settings as JsonValue,
    limits: {
      timeoutMs: timeout,
      memoryBytes: memory,
      fuel: FUEL,
      outputBytes: output,
      ...(concurrency === undefined ? {} : { concurrency }),
    },
    capabilities: [],
    enabled: true,
  };
}

function toRule({ operations, ...rule }: AdmissionModule['rules'][number]): Match['resources'][number] {
  const named = operations.filter((operation): operation is Operation => operation !== '*');
  return { ...rule, resourceNames: [], ...(named.length < operations.length ? {} : { operations: named }) };
}

function warningsOf({ debug }: Pick<AuthenticationModule, 'debug'>): readonly string[] {
  return debug ? ['`debug` has no effect: what it writes to standard error is in the log at `debug`'] : [];
}

/** The policy under its name, at its place. */
export function placed({ spec }: WasiPolicy, name: string, order: number, origin: PolicyOrigin): Policy {
  return { metadata: { name, labels: {}, annotations: {} }, spec: { ...spec, order }, origin };
}
