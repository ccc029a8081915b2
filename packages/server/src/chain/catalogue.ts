import type { EngineName, Phase, PolicyException, Review } from '@portcullis/contract';
import type { Engine, EngineHost } from '../engines/engine.ts';
import { isFault } from '../kernel/fault.ts';
import type { Steps } from '../kernel/in-slices.ts';
import type { NamespaceLabels } from '../kernel/ports.ts';
import { createExceptionMatcher, type ExceptionMatcher } from '../policy/exceptions/exception-matcher.ts';
import { isAccessGate } from '../policy/access-gate.ts';
import { createMatcher } from '../policy/matcher.ts';
import { programsOf } from '../policy/programs-of.ts';
import { openGroup, type OpenedProgram } from './open-group.ts';
import { openUnloadable } from './open-unloadable.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import { PolicyIndex } from './policy-index.ts';
import type { PolicySet, PreparedPolicy } from './policy-set.ts';
import { takeTurns } from './take-turns.ts';

export interface CatalogueOptions {
  readonly engines: ReadonlyMap<EngineName, Engine>;
  readonly host: EngineHost;
  readonly namespaceLabels: NamespaceLabels;
}

/** A policy set opened on one thread: immutable, and counted while reviews use it. */
export class Catalogue {
  readonly revision: number;
  readonly policies: readonly LoadedPolicy[];
  readonly #index: PolicyIndex;
  readonly #byFingerprint: ReadonlyMap<string, LoadedPolicy>;
  readonly #byName: ReadonlyMap<string, LoadedPolicy>;
  #users = 0;
  /** Evaluators to close when the last review has left; set when a newer catalogue took over. */
  #retired: readonly LoadedPolicy[] | undefined;

  constructor(revision: number, parts: CatalogueParts = new CatalogueParts()) {
    this.revision = revision;
    this.policies = parts.policies;
    this.#index = parts.index;
    this.#byFingerprint = parts.byFingerprint;
    this.#byName = parts.byName;
  }

  /** The policy that was opened from the same document and module. */
  opened(fingerprint: string): LoadedPolicy | undefined {
    return this.#byFingerprint.get(fingerprint);
  }

  find(phase: Phase, name: string): LoadedPolicy | undefined {
    return this.policies.find(
      ({ policy: { metadata, spec, byName } }) =>
        metadata.name === name && spec.phase === phase && spec.enabled && byName === undefined,
    );
  }

  /** A policy that is asked by its name only, or a member of such a group, as `group/member`. */
  named(name: string): LoadedPolicy | undefined {
    return this.#byName.get(name);
  }

  /** Policies that may concern the request, in order; each still has to look at the object. */
  candidates(phase: Phase, review: Review): readonly LoadedPolicy[] {
    return this.#index.candidates(phase, review);
  }

  enter(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    this.#closeWhenUnused();
  }

  /** A newer catalogue is in force and does not use these any more. */
  retire(unused: readonly LoadedPolicy[]): void {
    this.#retired = unused;
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    if (this.#users > 0 || this.#retired === undefined) return;
    for (const { evaluator } of this.#retired) evaluator.close();
    this.#retired = undefined;
  }
}

/** What a catalogue is made of, policy by policy in their order. */
class CatalogueParts {
  readonly policies: LoadedPolicy[] = [];
  readonly index = new PolicyIndex();
  readonly byFingerprint = new Map<string, LoadedPolicy>();
  readonly byName = new Map<string, LoadedPolicy>();

  add(loaded: LoadedPolicy): void {
    this.policies.push(loaded);
    this.index.add(loaded);
    this.byFingerprint.set(loaded.fingerprint, loaded);
    if (loaded.policy.byName !== undefined) this.#addNamed(loaded);
  }

  #addNamed(loaded: LoadedPolicy): void {
    const { policy, members } = loaded;
    this.byName.set(policy.metadata.name, loaded);
    if (policy.group === undefined) return;
    // Of a group that is not loaded, every member says why.
    for (const member of programsOf(policy)) {
      const { name } = member.metadata;
      this.byName.set(name, members?.get(name) ?? loaded);
    }
  }
}

/** Policies that are opened in one step. */
const STEP = 8;

export interface OpenedCatalogue {
  readonly catalogue: Catalogue;
  /** What only the previous one used: to be retired when this one is in force. */
  readonly unused: readonly LoadedPolicy[];
}

/** Opens a policy set; what has not changed since `previous` stays open and keeps its warm instances. */
export function* openCatalogue(
  set: PolicySet,
  options: CatalogueOptions,
  previous: Catalogue,
): Steps<OpenedCatalogue> {
  const parts = new CatalogueParts();
  const exceptions = openExceptions(set.exceptions, options);
  for (const [index, prepared] of set.policies.entries()) {
    const opened = previous.opened(prepared.fingerprint) ?? load(prepared, set, options);
    const { metadata, spec } = prepared.policy;
    // An exception is about requests that change something; it must not give rights that nobody meant to give.
    const concerning = isAccessGate(spec.gate) ? [] : exceptions;
    parts.add({ ...opened, exceptions: concerning.filter((exception) => exception.names(metadata.name)) });
    if (index % STEP === STEP - 1) yield;
  }
  const catalogue = new Catalogue(set.revision, parts);
  const unused: LoadedPolicy[] = [];
  for (const [index, loaded] of previous.policies.entries()) {
    if (catalogue.opened(loaded.fingerprint)?.evaluator !== loaded.evaluator) unused.push(loaded);
    if (index % STEP === STEP - 1) yield;
  }
  return { catalogue, unused };
}

function openExceptions(
  exceptions: readonly PolicyException[],
  { namespaceLabels }: CatalogueOptions,
): readonly ExceptionMatcher[] {
  return exceptions.map((exception) => {
    const matcher = createExceptionMatcher(exception, { namespaceLabels });
    if (isFault(matcher)) throw matcher;
    return matcher;
  });
}

/** The control thread has admitted all of this already: a failure here is a defect, not bad input. */
function load(
  prepared: PreparedPolicy,
  set: PolicySet,
  options: CatalogueOptions,
): Omit<LoadedPolicy, 'exceptions'> {
  const { policy, programs, unloadable, fingerprint } = prepared;
  const matcher = createMatcher(policy, { namespaceLabels: options.namespaceLabels });
  if (isFault(matcher)) throw matcher;
  const common = { policy, matcher, fingerprint };
  if (unloadable !== undefined) return { ...common, ...openUnloadable(unloadable) };
  const opened = programsOf(policy).map((program, index): OpenedProgram => {
    const found = programs[index];
    const engine = found === undefined ? undefined : options.engines.get(found.engine);
    const module = found === undefined ? undefined : set.modules.get(found.module);
    if (engine === undefined || module === undefined) {
      throw new TypeError(
        `policy set ${set.revision} lacks engine or module of \`${program.metadata.name}\``,
      );
    }
    const evaluator = engine.open(module, program, options.host);
    const { clock } = options.host;
    return { evaluator: takeTurns(evaluator, program.spec.limits, clock), phrases: engine.phrases };
  });
  if (policy.group === undefined) return { ...common, ...only(opened) };
  const group = { ...common, ...openGroup(policy.group, opened) };
  if (policy.byName === undefined) return group;
  const members = programsOf(policy).map((member, index): [string, LoadedPolicy] => [
    member.metadata.name,
    { ...common, policy: member, exceptions: [], ...(opened[index] as OpenedProgram) },
  ]);
  return { ...group, members: new Map(members) };
}

function only([program]: readonly OpenedProgram[]): OpenedProgram {
  if (program === undefined) throw new TypeError('a policy without a program');
  return program;
}
