import type { EngineName, Policy, PolicyStatus } from '@portcullis/contract';
import type { Engine, EngineHost } from '../engines/engine.ts';
import { sha256 } from '../kernel/digest.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import { stringifyExact } from '../kernel/json/json-document.ts';
import { createMatcher } from '../policy/matcher.ts';
import { describePolicy } from '../policy/describe-policy.ts';
import type { ModuleResolver, ResolvedModule } from '../sources/module-resolver.ts';
import type { DocumentReading, DocumentSource } from '../sources/source.ts';
import { decodeModule } from '../wasm/decode/decode-module.ts';
import type { PolicySet, PreparedPolicy } from './policy-set.ts';

export interface PolicyLoaderOptions {
  /** In the order of their right to a name: when two hold the same one, the earlier source keeps it. */
  readonly sources: readonly DocumentSource[];
  readonly modules: ModuleResolver;
  readonly engines: ReadonlyMap<EngineName, Engine>;
  readonly host: EngineHost;
  /** Takes each new set; called only when something has changed. */
  readonly publish: (set: PolicySet) => void;
}

/** Turns documents into policy sets, aside from everything that serves. */
export interface PolicyLoader {
  /** Reads all sources and publishes a new set when anything differs. Calls while one runs are answered by one more run. */
  reload(): Promise<ReloadReport>;
  /** Tries a policy without loading it. */
  tryPolicy(policy: Policy): Promise<Fault | undefined>;
  statuses(): readonly PolicyStatus[];
  policies(): readonly Policy[];
  readonly revision: number;
}

export interface ReloadReport {
  readonly revision: number;
  readonly changed: boolean;
  readonly problems: readonly { readonly origin: string; readonly fault: Fault }[];
}

/** One policy as it stands: what is in force, and what is wrong with the newest document. */
interface Entry {
  readonly name: string;
  readonly container: string;
  readonly prepared?: PreparedPolicy;
  readonly digest?: string;
  readonly moduleBytes?: number;
  readonly problem?: Fault;
  readonly warnings: readonly string[];
}

export function createPolicyLoader(options: PolicyLoaderOptions): PolicyLoader {
  let entries: readonly Entry[] = [];
  let compiled: ReadonlyMap<string, object> = new Map();
  let revision = 0;
  let running: Promise<ReloadReport> | undefined;
  let next: Promise<ReloadReport> | undefined;

  function reload(): Promise<ReloadReport> {
    if (running === undefined) {
      running = build().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running.then(() => {
      next = undefined;
      return reload();
    });
    return next;
  }

  async function build(): Promise<ReloadReport> {
    const readings: DocumentReading[] = [];
    for (const source of options.sources) readings.push(...(await source.read()));

    const modules = new Map<string, object>();
    const built: Entry[] = [];
    const names = new Set<string>();
    for (const reading of readings) {
      const entry = await buildEntry(reading, names, modules);
      if (entry !== undefined) built.push(entry);
    }
    built.push(...keepMissing(readings, names));
    for (const entry of built) keepModule(entry, modules);

    const changed = revision === 0 || fingerprintOf(built) !== fingerprintOf(entries);
    entries = built;
    compiled = modules;
    if (changed) {
      revision += 1;
      options.publish({ revision, policies: inOrder(built), modules });
    }
    return { revision, changed, problems: problemsOf(built) };
  }

  async function buildEntry(
    reading: DocumentReading,
    names: Set<string>,
    modules: Map<string, object>,
  ): Promise<Entry | undefined> {
    const { container, result } = reading;
    const warnings = reading.warnings ?? [];
    const name = isFault(result) ? reading.name : result.metadata.name;
    if (name === undefined) return { name: container, container, problem: result as Fault, warnings };
    if (names.has(name)) {
      const problem = new Fault(
        'PC_POLICY_DUPLICATE',
        `${container}: there is another policy named \`${name}\``,
      );
      return { name: `${name} (${container})`, container, problem, warnings };
    }
    names.add(name);
    const prepared = isFault(result) ? result : await prepare(result, modules);
    if (!isFault(prepared)) return { name, container, warnings, ...prepared };
    const lastGood = entries.find((entry) => entry.name === name && entry.container === container);
    return { ...lastGood, name, container, warnings, problem: prepared };
  }

  /** Policies of a container that could not be read far enough to know whether they are still in it. */
  function keepMissing(readings: readonly DocumentReading[], names: Set<string>): readonly Entry[] {
    const unreadable = new Map<string, Fault>();
    for (const { container, result, name } of readings) {
      if (isFault(result) && name === undefined) unreadable.set(container, result);
    }
    return entries.flatMap((entry) => {
      const problem = unreadable.get(containerWithin(entry.container, unreadable));
      if (problem === undefined || entry.prepared === undefined || names.has(entry.name)) return [];
      names.add(entry.name);
      return [{ ...entry, problem }];
    });
  }

  async function prepare(policy: Policy, modules: Map<string, object>): Promise<Prepared | Fault> {
    const resolved = await options.modules.resolve(policy);
    if (isFault(resolved)) return resolved;
    const fingerprint = sha256(`${resolved.digest}\n${stringifyExact(describePolicy(policy))}`);
    const known = entries.find((entry) => entry.prepared?.fingerprint === fingerprint);
    const details = { digest: resolved.digest, moduleBytes: resolved.bytes.length };
    if (known?.prepared !== undefined) return { prepared: { ...known.prepared, policy }, ...details };

    const engine = chooseEngine(policy, resolved);
    if (isFault(engine)) return engine;
    const key = `${engine.name}:${resolved.digest}`;
    const module = modules.get(key) ?? compiled.get(key) ?? (await engine.compile(resolved.bytes));
    if (isFault(module)) return module;
    modules.set(key, module);

    const matcher = createMatcher(policy, { namespaceLabels: () => undefined });
    if (isFault(matcher)) return matcher;
    const refused = await engine.admit(module, policy, options.host);
    return refused ?? { prepared: { policy, engine: engine.name, module: key, fingerprint }, ...details };
  }

  function chooseEngine(policy: Policy, { bytes }: ResolvedModule): Engine | Fault {
    const { engine: wanted } = policy.spec;
    if (wanted !== undefined) {
      const engine = options.engines.get(wanted);
      return engine ?? new Fault('PC_MODULE_ENGINE', `this server has no engine \`${wanted}\``);
    }
    const module = decodeModule(bytes);
    if (isFault(module)) return module;
    const engine = options.engines.values().find((candidate) => candidate.detect(module.info));
    return (
      engine ?? new Fault('PC_MODULE_ENGINE', 'no engine recognises the module; name one in `spec.engine`')
    );
  }

  /** The last good set may need a module that nothing new asked for. */
  function keepModule({ prepared }: Entry, modules: Map<string, object>): void {
    const module = prepared === undefined ? undefined : compiled.get(prepared.module);
    if (prepared !== undefined && module !== undefined && !modules.has(prepared.module)) {
      modules.set(prepared.module, module);
    }
  }

  return {
    reload,
    async tryPolicy(policy) {
      const prepared = await prepare(policy, new Map());
      return isFault(prepared) ? prepared : undefined;
    },
    statuses: () => entries.map(statusOf),
    policies: () => entries.flatMap(({ prepared }) => (prepared === undefined ? [] : [prepared.policy])),
    get revision() {
      return revision;
    },
  };
}

type Prepared = Required<Pick<Entry, 'prepared' | 'digest' | 'moduleBytes'>>;

/** A folder that cannot be read holds every file below it. */
function containerWithin(container: string, unreadable: ReadonlyMap<string, Fault>): string {
  if (unreadable.has(container)) return container;
  return unreadable.keys().find((outer) => container.startsWith(`${outer}/`)) ?? container;
}

function inOrder(entries: readonly Entry[]): readonly PreparedPolicy[] {
  return entries
    .flatMap(({ prepared }) => (prepared === undefined ? [] : [prepared]))
    .sort((a, b) => {
      const [left, right] = [a.policy, b.policy];
      return left.spec.order - right.spec.order || (left.metadata.name < right.metadata.name ? -1 : 1);
    });
}

function fingerprintOf(entries: readonly Entry[]): string {
  return inOrder(entries)
    .map(({ policy, fingerprint }) => `${policy.metadata.name} ${fingerprint}`)
    .join('\n');
}

function problemsOf(entries: readonly Entry[]): ReloadReport['problems'] {
  return entries.flatMap(({ container, problem }) =>
    problem === undefined ? [] : [{ origin: container, fault: problem }],
  );
}

function statusOf(entry: Entry): PolicyStatus {
  const { prepared, problem } = entry;
  const disabled = prepared?.policy.spec.enabled === false;
  return {
    name: entry.name,
    state: problem !== undefined ? 'refused' : disabled ? 'disabled' : 'loaded',
    lastGood: problem !== undefined && prepared !== undefined,
    ...(problem === undefined ? {} : { problem: { code: problem.code, message: problem.message } }),
    warnings: entry.warnings,
    origin: entry.container,
    ...(prepared === undefined ? {} : { engine: prepared.engine }),
    ...(entry.digest === undefined ? {} : { digest: entry.digest }),
    ...(entry.moduleBytes === undefined ? {} : { moduleBytes: entry.moduleBytes }),
    lastFaults: [],
  };
}
