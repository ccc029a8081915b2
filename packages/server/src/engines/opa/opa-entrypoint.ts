import { Fault } from '../../kernel/fault.ts';

/** The number of the wanted entry point, which is named or numbered; the first one when none is wanted. */
export function findEntrypoint(
  entrypoints: ReadonlyMap<string, number>,
  wanted: string | undefined,
): number | Fault {
  if (wanted === undefined) return 0;
  const path = wanted.replace(/^data[./]/, '').replaceAll('.', '/');
  const named = entrypoints.get(wanted) ?? entrypoints.get(path);
  if (named !== undefined) return named;
  const number = /^\d{1,9}$/.test(wanted) ? Number(wanted) : -1;
  if ([...entrypoints.values()].includes(number)) return number;
  const names = [...entrypoints.keys()].sort().map((name) => `\`${name}\``);
  return new Fault(
    'PC_OPA_ENTRYPOINT',
    `the module has no entry point \`${wanted}\`; it has ${names.join(', ')}`,
  );
}
