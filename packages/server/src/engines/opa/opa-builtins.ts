import { Fault } from '../../kernel/fault.ts';
import {
  BuiltinFailure,
  BuiltinLimit,
  type Builtin,
  type BuiltinContext,
} from '../../rego/builtins/builtin.ts';
import { BUILTINS } from '../../rego/builtins/builtins.ts';
import { parseValue } from '../../rego/values/parse-value.ts';
import { printValue } from '../../rego/values/print-value.ts';
import type { RegoValue } from '../../rego/values/rego-value.ts';
import type { HostCall } from '../../wasm/host-interface.ts';
import type { OpaCall } from './opa-call.ts';
import { readText } from './opa-memory.ts';

/** Bytes of all arguments of a call together, and of its result: reading and writing them takes some 50 ms at most. */
const MAX_VALUE_BYTES = 1024 * 1024;
/** Units of about 100 ns that one call of a builtin may take. */
const MAX_UNITS = 100_000;
/** Fuel for a unit, and for a byte of text that is read into a value or written from one. */
const FUEL = { unit: 1000, byte: 100 };

/** Names by number, as the module wants them; a fault when it wants one that is not offered. */
export function resolveBuiltins(wanted: ReadonlyMap<string, number>): ReadonlyMap<number, Builtin> | Fault {
  const lacking = [...wanted.keys()].filter((name) => !BUILTINS.has(name)).sort();
  if (lacking.length > 0) {
    const names = lacking.map((name) => `\`${name}\``).join(', ');
    return new Fault('PC_OPA_BUILTIN', `the module calls builtin functions that are not offered: ${names}`, {
      data: { lacking },
    });
  }
  return new Map([...wanted].map(([name, number]) => [number, BUILTINS.get(name) as Builtin]));
}

/** The text of what a builtin gives for the arguments at the addresses; undefined, or a fault that ends the run. */
export function callBuiltin(
  call: HostCall<OpaCall>,
  id: number,
  addresses: readonly number[],
): Uint8Array | undefined | Fault {
  const builtin = call.context.description.builtins.get(id);
  if (builtin === undefined) return broken(`it calls builtin function ${id}, which it has not declared`);
  const args: RegoValue[] = [];
  let room = MAX_VALUE_BYTES;
  for (const address of addresses) {
    const text = readText(call.memory, address, room);
    if (text === undefined)
      return broken('an argument of a builtin function is too large or not in its memory');
    room -= text.length;
    call.pay(text.length * FUEL.byte);
    const value = parseValue(Buffer.from(text.buffer, text.byteOffset, text.length).toString());
    if (value === undefined) return broken('an argument of a builtin function is no value');
    args.push(value);
  }
  const result = run(builtin, args, call);
  if (result === undefined || result instanceof Fault) return result;
  const text = Buffer.from(result);
  call.pay(text.length * FUEL.byte);
  return text.length <= MAX_VALUE_BYTES ? text : broken('the result of a builtin function is too large');
}

function run(
  builtin: Builtin,
  args: readonly RegoValue[],
  call: HostCall<OpaCall>,
): string | undefined | Fault {
  try {
    const result = builtin(args, createContext(call));
    return result === undefined ? undefined : printValue(result, MAX_VALUE_BYTES);
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    if (error instanceof BuiltinLimit) return broken(error.message);
    // Values nested by the thousands, and results without end.
    if (error instanceof RangeError)
      return broken('a builtin function got or gave a value that is too large or nested too deeply');
    throw error;
  }
}

function createContext(call: HostCall<OpaCall>): BuiltinContext {
  const { now, memory, print, random } = call.context;
  let left = MAX_UNITS;
  return {
    now,
    memory,
    print,
    charge(units) {
      call.pay(Math.min(units, MAX_UNITS) * FUEL.unit);
      left -= units;
      if (!(left >= 0)) throw new BuiltinLimit('a builtin function had too much work in one call');
    },
    random(length) {
      const bytes = new Uint8Array(length);
      random(bytes);
      return bytes;
    },
  };
}

function broken(message: string): Fault {
  return new Fault('PC_OPA_BUILTIN', message);
}
