import type { Policy, PolicyStatus } from '@portcullis/contract';
import type { PolicyLoader, ReloadOptions, ReloadReport } from '../../chain/policy-loader.ts';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Clock, Logger } from '../../kernel/ports.ts';
import type { PolicyView } from '../../manage/control-plane.ts';
import type { PolicyStore } from '../../sources/api/policy-store.ts';
import type { DocumentSource } from '../../sources/source.ts';
import { createSettle } from './settle.ts';

export interface PolicyControlOptions {
  readonly loader: PolicyLoader;
  readonly store: PolicyStore;
  /** Everything whose changes ask for a reload; the store is not among them. */
  readonly watched: readonly Pick<DocumentSource, 'watch'>[];
  /** What else is to be said of a policy in force; shown with its warnings. */
  readonly notes: (policy: Policy) => readonly string[];
  /** Hears of every reload. */
  readonly reloaded: (report: ReloadReport) => void;
  /** Resolves when the revision decides in every thread. */
  readonly inForce: (revision: number) => Promise<boolean>;
  readonly lastFaults: (policy: string) => PolicyView['status']['lastFaults'];
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is loaded, and the only way to change it. */
export interface PolicyControl {
  reload(options?: ReloadOptions): Promise<ReloadReport>;
  watch(): void;
  stop(): void;
  views(): readonly PolicyView[];
  view(name: string): PolicyView | undefined;
  put(policy: Policy): Promise<{ readonly created: boolean; readonly view: PolicyView } | Fault>;
  remove(name: string): Promise<undefined | Fault>;
  readonly revision: number;
  readonly lastReload: { readonly time: number; readonly problems: readonly string[] } | undefined;
  /** Reloads that found a problem which the one before did not have. */
  readonly failures: number;
}

/** Milliseconds without a change until the changes are read, and from the first change on; an editor or a volume changes several files at once. */
const SETTLE = { quiet: 100, most: 1000 };

export function createPolicyControl(options: PolicyControlOptions): PolicyControl {
  const { loader, store, log } = options;
  let lastReload: PolicyControl['lastReload'];
  let failures = 0;
  let stops: readonly (() => void)[] = [];
  /** Changes through the API go one after the other: each reads what the last one has left. */
  let changes: Promise<unknown> = Promise.resolve();

  async function reload(how?: ReloadOptions): Promise<ReloadReport> {
    const report = await loader.reload(how);
    const problems = report.problems.map(({ fault }) => fault.message);
    const known = new Set(lastReload?.problems);
    for (const { origin, fault } of report.problems) {
      if (known.has(fault.message)) continue;
      log.log('error', 'a policy cannot be loaded', { origin, code: fault.code, reason: fault.message });
    }
    if (problems.some((problem) => !known.has(problem))) failures += 1;
    if (report.changed) log.log('info', 'new policy set', { revision: report.revision });
    lastReload = { time: options.clock.wall(), problems };
    options.reloaded(report);
    return report;
  }

  const soon = createSettle(SETTLE.quiet, SETTLE.most, () => {
    void reload().catch((error: unknown) => {
      failures += 1;
      log.log('error', 'a reload failed; the last policy set stays', { reason: String(error) });
    });
  });

  function viewOf(status: PolicyStatus): PolicyView {
    const { name } = status;
    const policy = loader.policy(name);
    return {
      name,
      ...(policy === undefined ? {} : { policy }),
      status: {
        ...status,
        warnings: policy === undefined ? status.warnings : [...status.warnings, ...options.notes(policy)],
        lastFaults: options.lastFaults(name),
      },
    };
  }

  function views(): readonly PolicyView[] {
    return loader
      .statuses()
      .map(viewOf)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  function view(name: string): PolicyView | undefined {
    const status = loader.status(name);
    return status === undefined ? undefined : viewOf(status);
  }

  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = changes.then(change);
    changes = turn.catch(() => undefined);
    return turn;
  }

  async function put(policy: Policy): ReturnType<PolicyControl['put']> {
    const { name } = policy.metadata;
    const before = view(name);
    const conflict = ownedElsewhere(before, name);
    if (conflict !== undefined) return conflict;
    const refused = await loader.tryPolicy(policy);
    if (refused !== undefined) return refused;
    const stored = await store.put(policy);
    if (isFault(stored)) return stored;
    const failed = await apply(name);
    if (failed !== undefined) {
      // Back to what was there, so that a restart finds it too.
      await (before?.policy === undefined ? store.remove(name) : store.put(before.policy));
      await reload();
      return failed;
    }
    const now = view(name);
    if (now === undefined)
      return new Fault('PC_INTERNAL', `the policy \`${name}\` vanished while it was loaded`);
    return { created: before === undefined, view: now };
  }

  /** Loads what the store holds now, and waits until every thread decides by it. */
  async function apply(name: string): Promise<Fault | undefined> {
    const report = await reload();
    const problem = view(name)?.status.problem;
    if (problem !== undefined) {
      const found = report.problems.find(({ fault }) => fault.message === problem.message);
      return found?.fault ?? new Fault('PC_INTERNAL', problem.message);
    }
    const reached = await options.inForce(report.revision);
    return reached ? undefined : new Fault('PC_OVERLOAD', 'the server is stopping');
  }

  async function remove(name: string): Promise<undefined | Fault> {
    const conflict = ownedElsewhere(view(name), name);
    if (conflict !== undefined) return conflict;
    const removed = await store.remove(name);
    if (isFault(removed)) return removed;
    if (!removed) return new Fault('PC_NOT_FOUND', `there is no policy \`${name}\``);
    const { revision } = await reload();
    await options.inForce(revision);
    return undefined;
  }

  return {
    reload,
    watch() {
      stops = options.watched.map((source) => source.watch(soon));
    },
    stop() {
      soon.cancel();
      for (const stop of stops) stop();
    },
    views,
    view,
    put: (policy) => inTurn(() => put(policy)),
    remove: (name) => inTurn(() => remove(name)),
    get revision() {
      return loader.revision;
    },
    get lastReload() {
      return lastReload;
    },
    get failures() {
      return failures;
    },
  };
}

function ownedElsewhere(view: PolicyView | undefined, name: string): Fault | undefined {
  const source = view?.policy?.origin.source;
  if (view?.policy === undefined || source === 'api') return undefined;
  return new Fault('PC_CONFLICT', `the policy \`${name}\` comes from ${view.policy.origin.location}`);
}
