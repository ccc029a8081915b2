import type { Builtin } from './builtin.ts';

/** The builtins that a host supplies, by name. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([]);
