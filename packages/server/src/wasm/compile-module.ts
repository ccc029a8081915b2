import { Fault, isFault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';
import type { HostInterface } from './host-interface.ts';
import { instrumentModule, type InstrumentOptions } from './instrument/instrument-module.ts';
import type { FunctionType, ImportInfo } from './module-info.ts';

/**
 * Rewrites a module, checks that it imports only what `allowed` offers, by name and type, and compiles it.
 *
 * Faults: PC_MODULE_MALFORMED, PC_MODULE_FEATURE, PC_MODULE_IMPORT, PC_MODULE_EXPORT.
 */
export async function compileModule(
  bytes: Uint8Array,
  allowed: HostInterface,
  options: InstrumentOptions = {},
): Promise<CompiledModule | Fault> {
  const instrumented = instrumentModule(bytes, options);
  if (isFault(instrumented)) return instrumented;
  const { info, layout } = instrumented;
  for (const item of info.imports) {
    // The rewrite has let through no other kind but the memory of the options.
    const problem = item.kind === 'function' ? checkImport(item, allowed) : undefined;
    if (problem !== undefined) return problem;
  }
  try {
    return { module: await WebAssembly.compile(instrumented.bytes), info, layout };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault('PC_MODULE_MALFORMED', `the module cannot be compiled: ${reason}`, { cause: error });
  }
}

function checkImport(item: ImportInfo, allowed: HostInterface): Fault | undefined {
  const { module, name } = item;
  const functions = Object.hasOwn(allowed, module) ? allowed[module] : undefined;
  const offered = functions !== undefined && Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (offered === undefined) {
    return new Fault('PC_MODULE_IMPORT', `the module imports \`${module}.${name}\`, which is not offered`, {
      data: { module, name },
    });
  }
  const [asked, given] = [describe(item.type), describe(offered.type)];
  if (asked === given) return undefined;
  return new Fault(
    'PC_MODULE_IMPORT',
    `the module imports \`${module}.${name}\` as ${asked}; it is offered as ${given}`,
    { data: { module, name } },
  );
}

function describe(type: FunctionType | undefined): string {
  return type === undefined ? '?' : `(${type.params.join(', ')}) -> (${type.results.join(', ')})`;
}
