import { BuiltinLimit, type BuiltinContext } from '../../rego/builtins/builtin.ts';
import type { HostCall } from '../../wasm/host-interface.ts';
import type { OpaCall } from './opa-call.ts';

/** Units of about 100 ns that one call of a builtin may take. */
const MAX_UNITS = 100_000;
/** Fuel for a unit, and for a byte of text that is read into a value or written from one. */
export const FUEL = { unit: 1000, byte: 100 } as const;

/** One call of a builtin, and what it made use of. */
export interface BuiltinUse {
  readonly context: BuiltinContext;
  pay(fuel: number): void;
  /** What was paid. */
  readonly fuel: number;
  /** It has looked at nothing but its arguments, and told nobody. */
  readonly isPure: boolean;
}

export function createBuiltinUse(call: HostCall<OpaCall>): BuiltinUse {
  let left = MAX_UNITS;
  let fuel = 0;
  let isPure = true;

  function pay(amount: number): void {
    fuel += amount;
    call.pay(amount);
  }

  function impurely(): OpaCall {
    isPure = false;
    return call.context;
  }

  return {
    pay,
    get fuel() {
      return fuel;
    },
    get isPure() {
      return isPure;
    },
    context: {
      get now() {
        return impurely().now;
      },
      get memory() {
        return impurely().memory;
      },
      get print() {
        return impurely().print;
      },
      charge(units) {
        pay(Math.min(units, MAX_UNITS) * FUEL.unit);
        left -= units;
        if (!(left >= 0)) throw new BuiltinLimit('a builtin function had too much work in one call');
      },
      random(length) {
        const bytes = new Uint8Array(length);
        impurely().random(bytes);
        return bytes;
      },
    },
  };
}
