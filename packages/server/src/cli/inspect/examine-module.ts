import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { EngineName, GateName, Policy } from '@portcullis/contract';
import { ENGINES } from '../../app/engine-table.ts';
import type { Engine, EngineHost, Trait } from '../../engines/engine.ts';
import { unknownDialect } from '../../engines/unknown-dialect.ts';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { parsePolicies } from '../../policy/parse-policies.ts';
import { decodeModule } from '../../wasm/decode/decode-module.ts';
import type { ModuleInfo } from '../../wasm/module-info.ts';
import { createWasmRuntime } from '../../wasm/wasm-runtime.ts';
import { capabilityTraits } from './capability-traits.ts';
import { metadataTraits } from './metadata-traits.ts';

/** What can be told about a module without a policy. */
export interface Examination {
  readonly info: ModuleInfo;
  readonly engine: EngineName | undefined;
  /** What it can do, for people. */
  readonly answers: string | undefined;
  readonly traits: readonly Trait[];
  /** Why no policy could use it: what its status would say. */
  readonly refused: Fault | undefined;
  /** Why a policy could not use it that says nothing but its name. */
  readonly demands: Fault | undefined;
}

/** Wide enough for every module that a policy could use. */
const WIDE = { timeout: '10s', memory: '1Gi', fuel: 1e9 };

/** Decodes, compiles and starts a module as a server does that loads it, in the sandbox and without capabilities. */
export async function examineModule(path: string, bytes: Uint8Array): Promise<Examination | Fault> {
  const module = decodeModule(bytes);
  if (isFault(module)) return module;
  const { info } = module;
  const engine = ENGINES.values().find((candidate) => candidate.detect(info, bytes));
  const own = [...metadataTraits(bytes), ...capabilityTraits(module)];
  if (engine === undefined) {
    const refused = unknownDialect(info, ENGINES.values());
    return { info, engine, answers: undefined, traits: own, refused, demands: undefined };
  }
  const host = createHost();
  const compiled = await engine.compile(bytes);
  const traits = isFault(compiled) ? [] : ((await engine.examine?.(compiled, host)) ?? []);
  return {
    info,
    engine: engine.name,
    answers: engine.describe?.(info),
    traits: [...traits, ...own],
    ...(isFault(compiled)
      ? { refused: compiled, demands: undefined }
      : await tryPolicies({ engine, compiled, host, path })),
  };
}

function createHost(): EngineHost {
  const clock = { now: () => performance.now(), wall: () => Date.now() };
  return {
    runtime: createWasmRuntime({ clock }),
    clock,
    log: { enabled: () => false, log: () => undefined },
  };
}

interface Trial {
  readonly engine: Engine;
  readonly compiled: object;
  readonly host: EngineHost;
  readonly path: string;
}

/** Policies of every gate, first with every default: what those refuse and wider limits or settings mend is a demand. */
async function tryPolicies(trial: Trial): Promise<Pick<Examination, 'refused' | 'demands'>> {
  const gates = [...(trial.engine.gates ?? (['admission'] as const))];
  const demands = await tryGates(trial, gates, {});
  if (demands === undefined) return { refused: undefined, demands };
  const refused = await tryGates(trial, gates, { limits: WIDE });
  if (refused === undefined) return { refused, demands };
  // A module that has an opinion about its settings can be used with others.
  return refused.code === 'PC_POLICY_SETTINGS'
    ? { refused: undefined, demands: refused }
    : { refused, demands: undefined };
}

/** Undefined when a policy of one of the gates is good. */
async function tryGates(
  { engine, compiled, host, path }: Trial,
  gates: readonly GateName[],
  spec: object,
): Promise<Fault | undefined> {
  const faults: Fault[] = [];
  for (const gate of gates) {
    const fault = await engine.admit(compiled, policyOf(path, { gate, engine: engine.name, ...spec }), host);
    if (fault === undefined) return undefined;
    faults.push(fault);
  }
  // That it does not answer one gate says nothing when it answers another.
  return faults.find(({ code }) => code !== 'PC_MODULE_EXPORT') ?? faults[0];
}

function policyOf(path: string, spec: object): Policy {
  const name = basename(path)
    .replace(/\.wasm$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const document = {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name: name === '' ? 'module' : name.slice(0, 63) },
    spec: { module: { file: path }, ...spec },
  };
  const [parsed] = parsePolicies(JSON.stringify(document), { source: 'file', location: path });
  if (parsed === undefined || isFault(parsed.result)) throw new TypeError('a trial policy that is none');
  return parsed.result;
}
