import { Fault } from '../../kernel/fault.ts';
import type { ExportInfo, ModuleInfo } from '../../wasm/module-info.ts';

/** Every minor version of it. */
const ABI = 1;

type Signature = readonly [params: number, results: number];

/** What every module of the ABI 1 has, with the number of its parameters and results, all of them i32. */
const REQUIRED: Readonly<Record<string, Signature>> = {
  opa_malloc: [1, 1],
  opa_json_parse: [2, 1],
  opa_json_dump: [1, 1],
  opa_heap_ptr_get: [0, 1],
  opa_heap_ptr_set: [1, 0],
  builtins: [0, 1],
  entrypoints: [0, 1],
};
/** Before 1.2, evaluation takes several calls. */
const CONTEXT: Readonly<Record<string, Signature>> = {
  opa_eval_ctx_new: [0, 1],
  opa_eval_ctx_set_input: [2, 0],
  opa_eval_ctx_set_data: [2, 0],
  opa_eval_ctx_set_entrypoint: [2, 0],
  opa_eval_ctx_get_result: [1, 1],
  eval: [1, 1],
};
const ONE_CALL = 'opa_eval';
/** For modules that call builtins of the host. */
const VALUES: Readonly<Record<string, Signature>> = { opa_value_dump: [1, 1], opa_value_parse: [2, 1] };

export function isOneCall(info: ModuleInfo): boolean {
  return hasExport(info, ONE_CALL);
}

/** It can be evaluated in several calls, as all modules so far can. */
export function hasSteps(info: ModuleInfo): boolean {
  return Object.entries(CONTEXT).every(([name, signature]) =>
    isFunction(
      info.exports.find((item) => item.name === name),
      signature,
    ),
  );
}

export function hasExport(info: ModuleInfo, wanted: string): boolean {
  return info.exports.some(({ name, kind }) => name === wanted && kind === 'function');
}

/** The version of OPA's ABI for modules that it is compiled for, where the module tells. */
export function abiOf(info: ModuleInfo): { readonly major: number; readonly minor: number } | undefined {
  const valueOf = (name: string): number | undefined =>
    info.exports.find((item) => item.name === name)?.value;
  const major = valueOf('opa_wasm_abi_version');
  return major === undefined ? undefined : { major, minor: valueOf('opa_wasm_abi_minor_version') ?? 0 };
}

/** Version, and name, kind and type of what the ABI demands; `name` is the policy's. */
export function checkExports(info: ModuleInfo, name: string): Fault | undefined {
  const abi = abiOf(info);
  if (abi !== undefined && abi.major !== ABI) {
    return new Fault(
      'PC_MODULE_ENGINE',
      `module '${name}' is compiled for version ${abi.major}.${abi.minor} of OPA's ABI; this server speaks version ${ABI}`,
    );
  }
  const wanted: Readonly<Record<string, Signature>> = {
    ...REQUIRED,
    ...VALUES,
    ...(isOneCall(info) ? { [ONE_CALL]: [7, 1] } : CONTEXT),
  };
  for (const [function_, signature] of Object.entries(wanted)) {
    const found = info.exports.find((item) => item.name === function_);
    if (isFunction(found, signature)) continue;
    const expected = `(${i32(signature[0])}) -> (${i32(signature[1])})`;
    const is = found === undefined ? 'it is missing' : `it is ${describe(found)}`;
    return new Fault(
      'PC_MODULE_EXPORT',
      `module '${name}' must export '${function_}' as a function ${expected}, as OPA compiles it; ${is}`,
    );
  }
  return undefined;
}

function isFunction(item: ExportInfo | undefined, [params, results]: Signature): boolean {
  if (item?.kind !== 'function' || item.type === undefined) return false;
  return item.type.params.join() === i32(params, ',') && item.type.results.join() === i32(results, ',');
}

function i32(count: number, separator = ', '): string {
  return Array.from({ length: count }, () => 'i32').join(separator);
}

function describe({ kind, type }: ExportInfo): string {
  if (kind !== 'function' || type === undefined) return `a ${kind}`;
  return `(${type.params.join(', ')}) -> (${type.results.join(', ')})`;
}
