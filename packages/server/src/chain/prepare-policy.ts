import type { EngineName, Policy } from '@portcullis/contract';
import type { Engine, EngineHost } from '../engines/engine.ts';
import { unknownDialect } from '../engines/unknown-dialect.ts';
import { sha256 } from '../kernel/digest.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import { stringifyExact } from '../kernel/json/json-document.ts';
import { isAccessGate } from '../policy/access-gate.ts';
import { createMatcher } from '../policy/matcher.ts';
import { describePolicy } from '../policy/describe-policy.ts';
import { programsOf } from '../policy/programs-of.ts';
import type { FetchedModule, ModuleResolver, ResolvedModule } from '../sources/module-resolver.ts';
import { decodeModule } from '../wasm/decode/decode-module.ts';
import type { PreparedPolicy, PreparedProgram } from './policy-set.ts';

export interface PreparerOptions {
  readonly modules: ModuleResolver;
  readonly engines: ReadonlyMap<EngineName, Engine>;
  readonly host: EngineHost;
}

/** Makes policies ready to be published. Knows every module that is compiled, so that each is compiled once. */
export interface PolicyPreparer {
  /** Policy and modules, one for each of its programs, against what is demanded of both; compiles a module that is new. */
  prepare(policy: Policy, modules: readonly SomeModule[]): Promise<Prepared | Fault>;
  /** What was compiled for a policy. */
  module(key: string): object | undefined;
  /** Forgets all modules but those of these keys, and what was wrong with others. */
  keep(keys: ReadonlySet<string>): void;
}

export type SomeModule = ResolvedModule | FetchedModule;

export interface Prepared {
  readonly prepared: PreparedPolicy;
  /** As of {@link digestOf}. */
  readonly digest: string;
  readonly moduleBytes: number;
}

/** Compiled, or why it cannot be. */
type Compiled = object | Fault;

interface ReadyProgram {
  readonly program: PreparedProgram;
  readonly resolved: ResolvedModule;
}

/** A module together with the engine that runs it. */
interface Runnable {
  readonly engine: Engine;
  readonly key: string;
  readonly compiled: Compiled;
  readonly resolved: ResolvedModule;
}

export function createPolicyPreparer(options: PreparerOptions): PolicyPreparer {
  const compiled = new Map<string, Compiled>();
  const compiling = new Map<string, Promise<Compiled>>();
  /** Engines that recognised a module, by its digest. */
  const detected = new Map<string, Engine>();

  async function runnable(
    policy: Policy,
    resolved: ResolvedModule | FetchedModule,
  ): Promise<Runnable | Fault> {
    const engine = wantedEngine(policy) ?? detected.get(resolved.digest);
    if (isFault(engine)) return engine;
    const known = engine === undefined ? undefined : compiled.get(keyOf(engine, resolved));
    if (engine !== undefined && known !== undefined) {
      return { engine, key: keyOf(engine, resolved), compiled: known, resolved };
    }
    // What is there now may be newer than what was resolved.
    const fetched = 'bytes' in resolved ? resolved : await options.modules.fetch(policy);
    return isFault(fetched) ? fetched : compile(policy, fetched);
  }

  async function compile(policy: Policy, module: FetchedModule): Promise<Runnable | Fault> {
    const engine = wantedEngine(policy) ?? detect(module);
    if (isFault(engine)) return engine;
    const key = keyOf(engine, module);
    const result = compiled.get(key) ?? (await (compiling.get(key) ?? start(engine, key, module.bytes)));
    compiled.set(key, result);
    return { engine, key, compiled: result, resolved: module };
  }

  function start(engine: Engine, key: string, bytes: Uint8Array): Promise<Compiled> {
    const underWay = engine.compile(bytes).finally(() => compiling.delete(key));
    compiling.set(key, underWay);
    return underWay;
  }

  function wantedEngine({ spec: { engine: wanted } }: Policy): Engine | Fault | undefined {
    if (wanted === undefined) return undefined;
    const engine = options.engines.get(wanted);
    return engine ?? new Fault('PC_MODULE_ENGINE', `this server has no engine \`${wanted}\``);
  }

  function detect({ bytes, digest }: FetchedModule): Engine | Fault {
    const known = detected.get(digest);
    if (known !== undefined) return known;
    const module = decodeModule(bytes);
    if (isFault(module)) return module;
    const engine = options.engines.values().find((candidate) => candidate.detect(module.info, bytes));
    if (engine === undefined) return unknownDialect(module.info, options.engines.values());
    detected.set(digest, engine);
    return engine;
  }

  async function prepareProgram(policy: Policy, module: SomeModule): Promise<ReadyProgram | Fault> {
    const found = await runnable(policy, module);
    if (isFault(found)) return found;
    const { engine, key, resolved } = found;
    const unfit = checkGate(engine, policy);
    if (unfit !== undefined) return unfit;
    if (isFault(found.compiled)) return found.compiled;
    const refused = await engine.admit(found.compiled, policy, options.host);
    return refused ?? { program: { engine: engine.name, module: key }, resolved };
  }

  return {
    async prepare(policy, modules) {
      const matcher = createMatcher(policy, { namespaceLabels: () => undefined });
      if (isFault(matcher)) return matcher;
      const ready: ReadyProgram[] = [];
      for (const [index, program] of programsOf(policy).entries()) {
        const module = modules[index];
        if (module === undefined) throw new TypeError(`no module for \`${program.metadata.name}\``);
        const prepared = await prepareProgram(program, module);
        if (isFault(prepared)) return ofMember(prepared, program, policy);
        ready.push(prepared);
      }
      const digest = digestOf(ready.map(({ resolved }) => resolved));
      return {
        prepared: {
          policy,
          programs: ready.map(({ program }) => program),
          fingerprint: fingerprintOf(policy, digest),
        },
        digest,
        moduleBytes: sizeOf(ready.map(({ resolved }) => resolved)),
      };
    },

    module(key) {
      const module = compiled.get(key);
      return isFault(module) ? undefined : module;
    },

    keep(keys) {
      for (const key of compiled.keys()) if (!keys.has(key)) compiled.delete(key);
      const digests = new Set(Array.from(keys, (key) => key.slice(key.indexOf(':') + 1)));
      for (const digest of detected.keys()) if (!digests.has(digest)) detected.delete(digest);
    },
  };
}

/** A module that does not understand the question must not be asked: its answer would be about something else. */
function checkGate({ name, gates }: Engine, { spec: { gate } }: Policy): Fault | undefined {
  const isFit = gates === undefined ? !isAccessGate(gate) : gates.has(gate);
  if (isFit) return undefined;
  return new Fault('PC_POLICY_VALUE', `modules of the engine \`${name}\` do not answer the gate \`${gate}\``);
}

function keyOf({ name }: Engine, { digest }: ResolvedModule): string {
  return `${name}:${digest}`;
}

/** Equal for the same document and module, wherever the document stands. */
export function fingerprintOf(policy: Policy, digest: string): string {
  return sha256(`${digest}\n${stringifyExact(describePolicy(policy))}`);
}

/** Of all modules of a policy: one digest as it is, several joined by `+`. */
export function digestOf(modules: readonly ResolvedModule[]): string {
  return modules.map(({ digest }) => digest).join('+');
}

export function sizeOf(modules: readonly ResolvedModule[]): number {
  return modules.reduce((sum, { size }) => sum + size, 0);
}

/** The fault of a member says which one it is. */
export function ofMember(fault: Fault, program: Policy, policy: Policy): Fault {
  if (program === policy) return fault;
  return new Fault(fault.code, `member \`${program.metadata.name}\`: ${fault.message}`, { cause: fault });
}

/**
 * Stands in for a policy of which nothing was ever loaded. After a restart there is no last good one: without it, whoever keeps
 * a module from being read would take the policy out of force. Undefined when not even what it matches is known.
 */
export function standIn(policy: Policy, { code, message }: Fault): PreparedPolicy | undefined {
  if (isFault(createMatcher(policy, { namespaceLabels: () => undefined }))) return undefined;
  const fingerprint = fingerprintOf(policy, `${code} ${message}`);
  return { policy, programs: [], unloadable: { code, message }, fingerprint };
}
