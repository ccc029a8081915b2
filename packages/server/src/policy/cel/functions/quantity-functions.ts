import { parseQuantity } from '../../../kernel/quantity.ts';
import type { Register } from '../register.ts';
import { CelFailure } from '../cel-failure.ts';

const NANO = 1_000_000_000n;

/** A Kubernetes quantity, exact to the billionth. */
class Quantity {
  readonly nano: bigint;

  constructor(nano: bigint) {
    this.nano = nano;
  }
}

const TYPE = 'kubernetes.Quantity';

/** Kubernetes' quantity library. */
export const registerQuantityFunctions: Register = (environment) => {
  environment.registerType(TYPE, Quantity);
  environment.registerOperator(`${TYPE} == ${TYPE}`, (a: Quantity, b: Quantity) => a.nano === b.nano);
  environment.registerFunction(`quantity(string): ${TYPE}`, (text: string) => {
    const nano = parseQuantity(text);
    if (nano === undefined) throw new CelFailure('quantity() takes a quantity such as `500m` or `16Mi`');
    return new Quantity(nano);
  });
  environment.registerFunction(
    'isQuantity(string): bool',
    (text: string) => parseQuantity(text) !== undefined,
  );

  const method = (signature: string, handler: (self: Quantity, other: Quantity) => unknown): void => {
    environment.registerFunction(`${TYPE}.${signature}`, handler);
  };
  method('sign(): int', ({ nano }) => sign(nano));
  method('isInteger(): bool', ({ nano }) => nano % NANO === 0n && fits(nano / NANO));
  method('asInteger(): int', ({ nano }) => {
    if (nano % NANO === 0n && fits(nano / NANO)) return nano / NANO;
    throw new CelFailure('asInteger() of a quantity that is not a 64 bit integer');
  });
  method('asApproximateFloat(): double', ({ nano }) => Number(nano) / 1e9);
  method(`compareTo(${TYPE}): int`, (a, b) => sign(a.nano - b.nano));
  method(`isGreaterThan(${TYPE}): bool`, (a, b) => a.nano > b.nano);
  method(`isLessThan(${TYPE}): bool`, (a, b) => a.nano < b.nano);
  method(`add(${TYPE}): ${TYPE}`, (a, b) => new Quantity(a.nano + b.nano));
  method(`sub(${TYPE}): ${TYPE}`, (a, b) => new Quantity(a.nano - b.nano));
  environment.registerFunction(
    `${TYPE}.add(int): ${TYPE}`,
    (a: Quantity, b: bigint) => new Quantity(a.nano + b * NANO),
  );
  environment.registerFunction(
    `${TYPE}.sub(int): ${TYPE}`,
    (a: Quantity, b: bigint) => new Quantity(a.nano - b * NANO),
  );
};

function sign(value: bigint): bigint {
  if (value === 0n) return 0n;
  return value > 0n ? 1n : -1n;
}

function fits(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}
