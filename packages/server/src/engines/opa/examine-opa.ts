import type { Limits } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { createSandbox } from '../../wasm/sandbox.ts';
import type { EngineHost, Trait } from '../engine.ts';
import { loadBuiltins, resolveBuiltins } from './host-builtin.ts';
import { opaAdapter } from './opa-adapter.ts';
import type { OpaCall } from './opa-call.ts';
import { abiOf, checkExports } from './opa-exports.ts';
import { OPA_HOST } from './opa-host.ts';
import { useOpaInstances } from './opa-instances.ts';

/** More than any module needs to start. */
const LIMITS: Limits = { timeoutMs: 10_000, memoryBytes: 1024 ** 3, fuel: 1e9 };

/** Which rules answer and what a module calls of its host: both are in its memory once it has started, and nowhere else. */
export async function examineOpa(module: CompiledModule, host: EngineHost): Promise<readonly Trait[]> {
  const abi = abiOf(module.info);
  const ofAbi = abi === undefined ? [] : [abiTrait(abi)];
  if (checkExports(module.info, '') !== undefined) return ofAbi;
  await loadBuiltins();
  const { shared, release } = useOpaInstances(module, LIMITS, host, '{}');
  const { runtime } = host;
  const { stock } = shared;
  const adapter = opaAdapter();
  const sandbox = createSandbox<OpaCall>(module, { host: OPA_HOST, limits: LIMITS, runtime, stock, adapter });
  try {
    // What it has said until then stays; why it failed is told when it is admitted.
    await sandbox.prepare(host.clock.now() + LIMITS.timeoutMs);
  } finally {
    sandbox.close();
    release();
  }
  const { entrypoints, wanted, isReadDirectly } = shared.description;
  return [
    ...ofAbi,
    ...(entrypoints.size === 0 ? [] : [entrypointTrait(entrypoints)]),
    ...(wanted.size === 0 ? [] : [builtinTrait(wanted)]),
    ...(isReadDirectly === undefined ? [] : [inputTrait(isReadDirectly)]),
  ];
}

function abiTrait({ major, minor }: { readonly major: number; readonly minor: number }): Trait {
  return { name: 'abi', value: `${major}.${minor}`, lines: [] };
}

function entrypointTrait(entrypoints: ReadonlyMap<string, number>): Trait {
  const sorted = [...entrypoints].sort(([, one], [, other]) => one - other);
  return {
    name: 'entrypoints',
    value: Object.fromEntries(sorted),
    lines: sorted.map(([name, number]) => `${name} (${number})`),
  };
}

function builtinTrait(wanted: ReadonlyMap<string, number>): Trait {
  const resolved = resolveBuiltins(wanted);
  const lacking = new Set(isFault(resolved) ? (resolved.data['lacking'] as readonly string[]) : []);
  const names = [...wanted.keys()].sort();
  return {
    name: 'builtins',
    value: names.map((name) => ({ name, offered: !lacking.has(name) })),
    lines: names.map((name) => (lacking.has(name) ? `${name}, which is not offered` : name)),
  };
}

function inputTrait(isReadDirectly: boolean): Trait {
  return isReadDirectly
    ? { name: 'inputs', value: 'direct', lines: ['read into its memory'] }
    : {
        name: 'inputs',
        value: 'module',
        lines: [
          'read by the module itself, which takes longer: it keeps values in a way that is not known here',
        ],
      };
}
