import assert from 'node:assert/strict';
import { BuiltinFailure, BuiltinLimit, type BuiltinContext } from '../../../src/rego/builtins/builtin.ts';
import { BUILTINS } from '../../../src/rego/builtins/builtins.ts';
import { parseValue } from '../../../src/rego/values/parse-value.ts';
import { printValue } from '../../../src/rego/values/print-value.ts';
import { isArray } from '../../../src/rego/values/rego-value.ts';

/** Seconds that the clock of {@link createContext} shows. */
export const NOW_SECONDS = 1_709_210_096;

export function createContext(limit = 100_000): BuiltinContext & { readonly printed: string[] } {
  let left = limit;
  const printed: string[] = [];
  return {
    now: BigInt(NOW_SECONDS) * 1_000_000_000n + 123_456_789n,
    memory: new Map(),
    printed,
    print: (text) => void printed.push(text),
    random: (length) => new Uint8Array(length).fill(0xab),
    charge(units) {
      left -= units;
      if (!(left >= 0)) throw new BuiltinLimit('too much');
    },
  };
}

/** What a builtin gives for arguments of JSON, as JSON; undefined when it fails. */
export function callBuiltin(name: string, ...args: readonly unknown[]): unknown {
  const builtin = BUILTINS.get(name);
  const values = parseValue(JSON.stringify(args));
  assert.ok(builtin !== undefined && values !== undefined && isArray(values), name);
  try {
    const result = builtin(values, createContext());
    return result === undefined ? undefined : JSON.parse(printValue(result));
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    throw error;
  }
}
