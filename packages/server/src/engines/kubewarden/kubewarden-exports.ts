import { Fault } from '../../kernel/fault.ts';
import type { ExportInfo, ModuleInfo } from '../../wasm/module-info.ts';
import { METADATA_SECTION } from '../execution-mode.ts';
import type { KubewardenMetadata } from './kubewarden-metadata.ts';

/** How the host and a guest talk: through imports and exports, or through standard streams. */
export type KubewardenMode = 'wapc' | 'wasi';

export const GUEST_CALL = '__guest_call';
/** Once for each instance, in this order. */
export const START_EXPORTS = ['_start', '_initialize', 'wapc_init'] as const;
/** What a module of the other mode is run by, once for each evaluation. */
export const COMMAND = '_start';

const MODES: Readonly<Record<string, KubewardenMode>> = { 'kubewarden-wapc': 'wapc', wasi: 'wasi' };
/** Where guests of the second mode find the host. */
const HOST_CALLS = ['host', 'kubewarden:javy/host'];

/** By what it exports; undefined when it is neither. */
export function modeOf(info: ModuleInfo): KubewardenMode | undefined {
  if (isFunction(info, GUEST_CALL)) return 'wapc';
  if (!isFunction(info, COMMAND)) return undefined;
  const isOurs =
    info.customSections.some(({ name }) => name === METADATA_SECTION) ||
    info.imports.some(({ module, name }) => name === 'call' && HOST_CALLS.includes(module));
  return isOurs ? 'wasi' : undefined;
}

/** The mode of a module that has to be one of ours, held against what it says of itself. */
export function checkMode(info: ModuleInfo, { executionMode }: KubewardenMetadata): KubewardenMode | Fault {
  const said = executionMode === undefined ? undefined : MODES[executionMode];
  if (executionMode !== undefined && said === undefined) {
    return new Fault(
      'PC_MODULE_ENGINE',
      `the module has the execution mode \`${executionMode}\`; name the engine that runs it in \`spec.engine\``,
    );
  }
  const mode = said ?? modeOf(info) ?? (isFunction(info, COMMAND) ? 'wasi' : 'wapc');
  const problem = mode === 'wapc' ? checkGuestCall(info) : checkAction(info, COMMAND);
  return problem ?? checkMemory(info) ?? mode;
}

function checkGuestCall(info: ModuleInfo): Fault | undefined {
  const wrong = checkFunction(info, GUEST_CALL, '(i32, i32) -> (i32)');
  if (wrong !== undefined) return wrong;
  const present = START_EXPORTS.filter((name) => find(info, name) !== undefined);
  return present.map((name) => checkAction(info, name)).find((problem) => problem !== undefined);
}

function checkAction(info: ModuleInfo, name: string): Fault | undefined {
  return checkFunction(info, name, '() -> ()');
}

function checkFunction(info: ModuleInfo, name: string, wanted: string): Fault | undefined {
  const found = find(info, name);
  if (found === undefined) {
    return new Fault('PC_MODULE_EXPORT', `the module must export \`${name}\` as a function ${wanted}`);
  }
  const type = describe(found);
  if (type === wanted) return undefined;
  return new Fault(
    'PC_MODULE_EXPORT',
    `the module must export \`${name}\` as a function ${wanted}; it is ${type}`,
  );
}

function checkMemory(info: ModuleInfo): Fault | undefined {
  if (find(info, 'memory')?.kind === 'memory') return undefined;
  return new Fault('PC_MODULE_EXPORT', 'the module must export its memory as `memory`');
}

function find(info: ModuleInfo, name: string): ExportInfo | undefined {
  return info.exports.find((item) => item.name === name);
}

function isFunction(info: ModuleInfo, name: string): boolean {
  return find(info, name)?.kind === 'function';
}

function describe({ kind, type }: ExportInfo): string {
  if (kind !== 'function' || type === undefined) return `a ${kind}`;
  return `(${type.params.join(', ')}) -> (${type.results.join(', ')})`;
}
