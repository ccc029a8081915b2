import { Fault } from '../../kernel/fault.ts';
import type { ModuleInfo } from '../../wasm/module-info.ts';

/** Name, kind and type of what the ABI demands; wording as plugin authors know it. */
export function checkExports(info: ModuleInfo, plugin: string): Fault | undefined {
  const find = (name: string): ModuleInfo['exports'][number] | undefined =>
    info.exports.find((item) => item.name === name);
  const validate = find('validate');
  if (validate?.kind !== 'function') {
    return new Fault('PC_MODULE_EXPORT', `Plugin ${plugin} must export a 'validate' function`);
  }
  if (validate.type?.params.length !== 0 || validate.type.results.join() !== 'i32') {
    return new Fault(
      'PC_MODULE_EXPORT',
      `Plugin ${plugin} must export 'validate' with the type () -> i32; it has (${validate.type?.params.join(', ') ?? '?'}) -> ${validate.type?.results.join(', ') || '()'}`,
    );
  }
  if (find('memory')?.kind !== 'memory') {
    return new Fault('PC_MODULE_EXPORT', `Plugin ${plugin} must export 'memory'`);
  }
  return undefined;
}
