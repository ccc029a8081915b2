import type { GateName } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import type { ExportInfo, ModuleInfo } from '../../wasm/module-info.ts';

/** The function that a module exports for each gate. */
export const USE_CASES = {
  admission: 'validate',
  authentication: 'authn',
  authorization: 'authz',
} as const satisfies Partial<Record<GateName, string>>;

export type WasiGate = keyof typeof USE_CASES;

/** What a module exports that is a program and knows nothing of gates. */
export const COMMAND = '_start';
/** Once for each instance, before anything else. */
export const INITIALISE = '_initialize';

export function isWasiGate(gate: GateName): gate is WasiGate {
  return Object.hasOwn(USE_CASES, gate);
}

export function isAction(item: ExportInfo): boolean {
  return item.kind === 'function' && item.type?.params.length === 0 && item.type.results.length === 0;
}

/** What is called for a gate: its own function, or else the program. Name, kind and type are checked; `name` is the policy's. */
export function entryFor(gate: GateName, info: ModuleInfo, name: string): string | Fault {
  if (!isWasiGate(gate)) {
    return new Fault(
      'PC_POLICY_VALUE',
      `modules of the engine \`wasi\` answer the gates ${Object.keys(USE_CASES).join(', ')}, not \`${gate}\``,
    );
  }
  const wanted = USE_CASES[gate];
  const find = (exported: string): ExportInfo | undefined =>
    info.exports.find((item) => item.name === exported);
  const found = find(wanted) ?? find(COMMAND);
  if (found === undefined) {
    return new Fault('PC_MODULE_EXPORT', `missing function '${wanted}' in module '${name}'`);
  }
  if (isAction(found)) return found.name;
  return new Fault(
    'PC_MODULE_EXPORT',
    `module '${name}' must export '${found.name}' as a function () -> (); it is ${describe(found)}`,
  );
}

function describe({ kind, type }: ExportInfo): string {
  if (kind !== 'function' || type === undefined) return `a ${kind}`;
  return `(${type.params.join(', ')}) -> (${type.results.join(', ')})`;
}
