import type { ExceptionStatus, Policy, PolicyStatus } from '@portcullis/contract';
import { Fault, isFault } from '../kernel/fault.ts';
import { inLanes } from '../kernel/in-lanes.ts';
import { isException } from '../policy/parse-policies.ts';
import { programsOf } from '../policy/programs-of.ts';
import type { DocumentReading, DocumentSource } from '../sources/source.ts';
import {
  areSameExceptions,
  buildExceptions,
  concernsException,
  exceptionsInForce,
  exceptionStatusOf,
  type ExceptionEntry,
} from './exception-entry.ts';
import { nameOfRefused } from './name-of-refused.ts';
import {
  indexEntries,
  isSameSet,
  policiesInOrder,
  statusOf,
  type EntryIndex,
  type PolicyEntry,
} from './policy-entry.ts';
import type { PolicySet } from './policy-set.ts';
import {
  createPolicyPreparer,
  digestOf,
  fingerprintOf,
  ofMember,
  sizeOf,
  standIn,
  type PreparerOptions,
  type SomeModule,
} from './prepare-policy.ts';

export interface PolicyLoaderOptions extends PreparerOptions {
  /** In the order of their right to a name: when two hold the same one, the earlier source keeps it. */
  readonly sources: readonly DocumentSource[];
  /** Takes each new set; called only when something has changed. */
  readonly publish: (set: PolicySet) => void;
}

/** Turns documents into policy sets, aside from everything that serves. */
export interface PolicyLoader {
  /**
   * Reads all sources and publishes a new set when anything differs. Calls while one runs are answered by one more run. What has
   * not changed is looked at, and no more; with `refresh` all modules are fetched anew, and what was refused is tried again.
   */
  reload(options?: ReloadOptions): Promise<ReloadReport>;
  /** Tries a policy without loading it. */
  tryPolicy(policy: Policy): Promise<Fault | undefined>;
  statuses(): readonly PolicyStatus[];
  /** Of the policy, or of the document that would be one if it were not broken. */
  status(name: string): PolicyStatus | undefined;
  policies(): readonly Policy[];
  /** How they stand at a time in milliseconds since 1970. */
  exceptions(now: number): readonly ExceptionStatus[];
  /** The one in force. */
  policy(name: string): Policy | undefined;
  readonly revision: number;
}

export interface ReloadOptions {
  readonly refresh?: boolean;
}

export interface ReloadReport {
  readonly revision: number;
  readonly changed: boolean;
  readonly problems: readonly { readonly origin: string; readonly fault: Fault }[];
}

/** Policies that are prepared at a time: fetching and trying them is mostly waiting. */
const LANES = 8;

export function createPolicyLoader(options: PolicyLoaderOptions): PolicyLoader {
  const preparer = createPolicyPreparer(options);
  let entries = indexEntries([]);
  let exceptions: readonly ExceptionEntry[] = [];
  let revision = 0;
  let running: Promise<ReloadReport> | undefined;
  let next: Promise<ReloadReport> | undefined;
  /** Asked for by any of the calls that the next run answers. */
  let nextRefreshes = false;

  function reload({ refresh = false }: ReloadOptions = {}): Promise<ReloadReport> {
    if (running === undefined) {
      running = build(refresh).finally(() => {
        running = undefined;
      });
      return running;
    }
    nextRefreshes ||= refresh;
    next ??= running
      .catch(() => undefined)
      .then(() => {
        const asked = nextRefreshes;
        next = undefined;
        nextRefreshes = false;
        return reload({ refresh: asked });
      });
    return next;
  }

  async function build(refresh: boolean): Promise<ReloadReport> {
    const readings: DocumentReading[] = [];
    for (const source of options.sources) readings.push(...(await source.read()));
    const excepted = buildExceptions(readings, exceptions);
    const names = new Set<string>();
    const ofPolicies = readings.filter((reading) => !concernsException(reading));
    const claims = ofPolicies.map((reading) => claim(reading, names));
    const built = await inLanes(claims, LANES, (claimed) => buildEntry(claimed, refresh));
    built.push(...keepMissing(ofPolicies, entries.all, names));

    const index = indexEntries(built);
    const isSame = isSameSet(index, entries) && areSameExceptions(excepted, exceptions);
    const changed = revision === 0 || !isSame;
    const keys = new Set(
      built.flatMap(({ prepared }) => (prepared?.programs ?? []).map(({ module }) => module)),
    );
    preparer.keep(keys);
    entries = index;
    exceptions = excepted;
    if (changed) {
      revision += 1;
      const modules = new Map([...keys].map((key) => [key, preparer.module(key) as object]));
      options.publish({
        revision,
        policies: policiesInOrder(built),
        exceptions: exceptionsInForce(excepted),
        modules,
      });
    }
    return { revision, changed, problems: problemsOf([...built, ...excepted]) };
  }

  async function buildEntry(claimed: Claim, refresh: boolean): Promise<PolicyEntry> {
    if ('problem' in claimed) return claimed;
    const { reading, name } = claimed;
    const { container, result } = reading;
    const warnings = reading.warnings ?? [];
    if (!isFault(result) && !isException(result))
      return prepare({ name, container, warnings }, result, refresh);
    return { ...lastGood(entries, claimed), name, container, warnings, problem: result as Fault };
  }

  async function resolve(policy: Policy, refresh: boolean): Promise<readonly SomeModule[] | Fault> {
    const modules: SomeModule[] = [];
    for (const program of programsOf(policy)) {
      const module = await (refresh ? options.modules.fetch(program) : options.modules.resolve(program));
      if (isFault(module)) return ofMember(module, program, policy);
      modules.push(module);
    }
    return modules;
  }

  async function prepare(base: Base, document: Policy, refresh: boolean): Promise<PolicyEntry> {
    const resolved = await resolve(document, refresh);
    if (isFault(resolved)) return failing(base, document, resolved);
    const digest = digestOf(resolved);

    const before = entries.byDocument.get(document);
    const isUnchanged = before?.madeFrom?.digest === digest && isSameBase(before, base);
    // What its source says of it may have changed all the same.
    if (before !== undefined && isUnchanged && (!refresh || before.problem === undefined)) {
      return { ...before, ...base };
    }

    const madeFrom = { document, digest };
    const known = entries.byFingerprint.get(fingerprintOf(document, digest))?.prepared;
    if (known !== undefined) {
      return {
        ...base,
        madeFrom,
        prepared: { ...known, policy: document },
        digest,
        moduleBytes: sizeOf(resolved),
      };
    }
    const prepared = await preparer.prepare(document, resolved);
    if (!isFault(prepared)) {
      return { ...base, ...prepared, madeFrom: { document, digest: prepared.digest } };
    }
    const settled = isSettled(prepared) ? { madeFrom } : {};
    return { ...failing(base, document, prepared), ...settled };
  }

  /** The document is good and what it needs is not: what was in force stays, or something stands in for it. */
  function failing(base: Base, document: Policy, problem: Fault): PolicyEntry {
    const last = lastGood(entries, base);
    if (last.prepared !== undefined) return { ...last, ...base, problem };
    const prepared = standIn(document, problem);
    return { ...base, ...(prepared === undefined ? {} : { prepared }), problem };
  }

  return {
    reload,
    async tryPolicy(policy) {
      const resolved = await resolve(policy, false);
      if (isFault(resolved)) return resolved;
      const prepared = await preparer.prepare(policy, resolved);
      return isFault(prepared) ? prepared : undefined;
    },
    statuses: () => entries.all.map(statusOf),
    status(name) {
      const entry = entries.byName.get(name) ?? entries.all.find((candidate) => candidate.name === name);
      return entry === undefined ? undefined : statusOf(entry);
    },
    policies: () => entries.all.flatMap(({ prepared }) => (prepared === undefined ? [] : [prepared.policy])),
    exceptions: (now) => exceptions.map((entry) => exceptionStatusOf(entry, now)),
    policy: (name) => entries.byName.get(name)?.prepared?.policy,
    get revision() {
      return revision;
    },
  };
}

type Base = Pick<PolicyEntry, 'name' | 'container' | 'warnings'>;

/** A document under the name that is its own, or the entry of one that has none. */
type Claim =
  | (PolicyEntry & { readonly problem: Fault })
  | (Pick<Base, 'name' | 'container'> & { readonly reading: DocumentReading });

/** The first to claim a name has it. */
function claim(reading: DocumentReading, names: Set<string>): Claim {
  const { container, result, warnings = [] } = reading;
  const name = isFault(result) ? reading.name : result.metadata.name;
  if (name === undefined) return { name: container, container, problem: result as Fault, warnings };
  if (names.has(name)) {
    const problem = new Fault(
      'PC_POLICY_DUPLICATE',
      `${container}: there is another policy named \`${name}\``,
    );
    return { name: nameOfRefused(name, container), container, problem, warnings };
  }
  names.add(name);
  return { name, container, reading };
}

function isSameBase(entry: PolicyEntry, { name, container }: Base): boolean {
  return entry.name === name && entry.container === container;
}

/** What was in force under the same name from the same container. */
function lastGood(
  entries: EntryIndex,
  { name, container }: Pick<Base, 'name' | 'container'>,
): Partial<PolicyEntry> {
  const entry = entries.byName.get(name);
  if (entry?.container !== container || entry.prepared?.unloadable !== undefined) return {};
  const { madeFrom: _stale, problem: _old, ...rest } = entry;
  return rest;
}

/** A refusal that the same document and module would meet again: nothing in it depends on the time or on the network. */
function isSettled({ code }: Fault): boolean {
  return /^PC_(MODULE|POLICY|WASM)_/.test(code) && code !== 'PC_WASM_TIMEOUT' && code !== 'PC_MODULE_FETCH';
}

/** Policies of a container that could not be read far enough to know whether they are still in it. */
function keepMissing(
  readings: readonly DocumentReading[],
  before: readonly PolicyEntry[],
  names: Set<string>,
): readonly PolicyEntry[] {
  const unreadable = new Map<string, Fault>();
  for (const { container, result, name } of readings) {
    if (isFault(result) && name === undefined) unreadable.set(container, result);
  }
  if (unreadable.size === 0) return [];
  return before.flatMap((entry) => {
    if (entry.prepared === undefined || names.has(entry.name)) return [];
    const problem = faultAround(entry.container, unreadable);
    if (problem === undefined) return [];
    names.add(entry.name);
    const { madeFrom: _stale, ...rest } = entry;
    return [{ ...rest, problem }];
  });
}

/** A folder that cannot be read holds every file below it. */
function faultAround(container: string, unreadable: ReadonlyMap<string, Fault>): Fault | undefined {
  for (let end = container.length; end > 0; end = container.lastIndexOf('/', end - 1)) {
    const fault = unreadable.get(container.slice(0, end));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function problemsOf(
  entries: readonly Pick<PolicyEntry, 'container' | 'problem'>[],
): ReloadReport['problems'] {
  return entries.flatMap(({ container, problem }) =>
    problem === undefined ? [] : [{ origin: container, fault: problem }],
  );
}
