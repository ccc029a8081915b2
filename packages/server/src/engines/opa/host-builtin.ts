import { LRUCache } from 'lru-cache';
import { Fault } from '../../kernel/fault.ts';
import type { Builtin } from '../../rego/builtins/builtin.ts';

/** Of one builtin: policies ask for the same few amounts, patterns and versions again and again. */
const MAX_ANSWERS = 256;

/** A builtin that a module calls, and what it gave for arguments that alone decide what it gives. */
export interface HostBuiltin {
  readonly run: Builtin;
  readonly answers: LRUCache<string, Answer>;
}

interface Answer {
  /** Absent where the builtin is undefined. */
  readonly text?: Uint8Array;
  /** What it took, the same whether it is remembered or not. */
  readonly fuel: number;
}

let offered: ReadonlyMap<string, Builtin> | undefined;

/** To be awaited before the first module starts on a thread: without one no thread needs them, and each would start later. */
export async function loadBuiltins(): Promise<void> {
  if (offered !== undefined) return;
  const { BUILTINS } = await import('../../rego/builtins/builtins.ts');
  offered = BUILTINS;
}

/** Builtins by number, as the module wants them; a fault when it wants one that is not offered. */
export function resolveBuiltins(
  wanted: ReadonlyMap<string, number>,
): ReadonlyMap<number, HostBuiltin> | Fault {
  if (offered === undefined) throw new TypeError('the builtins have not been loaded');
  const resolved = new Map<number, HostBuiltin>();
  const lacking: string[] = [];
  for (const [name, number] of wanted) {
    const builtin = offered.get(name);
    if (builtin === undefined) lacking.push(name);
    else resolved.set(number, { run: builtin, answers: new LRUCache({ max: MAX_ANSWERS }) });
  }
  if (lacking.length === 0) return resolved;
  const names = lacking.sort().map((name) => `\`${name}\``);
  return new Fault(
    'PC_OPA_BUILTIN',
    `the module calls builtin functions that are not offered: ${names.join(', ')}`,
    { data: { lacking } },
  );
}
