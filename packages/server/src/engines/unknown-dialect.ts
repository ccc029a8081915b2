import { Fault } from '../kernel/fault.ts';
import type { ModuleInfo } from '../wasm/module-info.ts';
import type { Engine } from './engine.ts';

/** Names of one list that are shown. */
const MAX_SHOWN = 8;

/** PC_MODULE_ENGINE for a module that no engine recognises: what was found in it, and what was expected. */
export function unknownDialect(info: ModuleInfo, engines: Iterable<Engine>): Fault {
  const modules = [...new Set(info.imports.map(({ module }) => module))];
  const found = `it imports from ${list(modules)} and exports ${list(info.exports.map(({ name }) => name))}`;
  const expected = [...engines].flatMap(({ name, expects }) =>
    expects === undefined ? [] : [`for \`${name}\` ${expects}`],
  );
  const wanted = expected.length === 0 ? '' : `; expected is ${expected.join(', or ')}`;
  return new Fault('PC_MODULE_ENGINE', `no engine recognises the module: ${found}${wanted}`, {
    data: { modules, exports: info.exports.length },
  });
}

function list(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const shown = names.slice(0, MAX_SHOWN).map((name) => `\`${name}\``);
  return names.length > MAX_SHOWN
    ? `${shown.join(', ')} and ${names.length - MAX_SHOWN} more`
    : shown.join(', ');
}
