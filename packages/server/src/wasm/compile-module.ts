import { Fault, isFault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';
import type { HostInterface } from './host-interface.ts';
import { instrumentModule } from './instrument/instrument-module.ts';
import type { FunctionType, ModuleInfo } from './module-info.ts';

/**
 * Rewrites a module and compiles the result.
 *
 * Faults: those of `instrumentModule`; PC_MODULE_IMPORT for an import that the host does not offer, or with another type.
 */
export async function compileModule<T>(
  bytes: Uint8Array,
  allowed: HostInterface<T>,
): Promise<CompiledModule | Fault> {
  const instrumented = instrumentModule(bytes);
  if (isFault(instrumented)) return instrumented;
  const { info, layout } = instrumented;
  const refused = checkImports(info, allowed);
  if (refused !== undefined) return refused;
  try {
    return { module: await WebAssembly.compile(instrumented.bytes), info, layout };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault('PC_MODULE_MALFORMED', `the module does not compile: ${reason}`, { cause: error });
  }
}

function checkImports<T>(info: ModuleInfo, allowed: HostInterface<T>): Fault | undefined {
  for (const { module, name, type } of info.imports) {
    const offered = Object.hasOwn(allowed, module) ? allowed[module] : undefined;
    const host = offered !== undefined && Object.hasOwn(offered, name) ? offered[name] : undefined;
    if (host === undefined) {
      return new Fault(
        'PC_MODULE_IMPORT',
        `the module imports \`${module}.${name}\`, which its engine does not offer`,
      );
    }
    if (type === undefined || !sameType(type, host.type)) {
      const wanted = type === undefined ? 'something that is no function' : shown(type);
      return new Fault(
        'PC_MODULE_IMPORT',
        `the module imports \`${module}.${name}\` as ${wanted}; its engine offers ${shown(host.type)}`,
      );
    }
  }
  return undefined;
}

function sameType(a: FunctionType, b: FunctionType): boolean {
  return a.params.join() === b.params.join() && a.results.join() === b.results.join();
}

function shown({ params, results }: FunctionType): string {
  return `(${params.join(', ')}) -> ${results.join(', ') || '()'}`;
}
