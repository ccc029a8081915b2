import type { Register } from '../register.ts';
import { CelFailure } from '../cel-failure.ts';

type Ordered = bigint | number | string | boolean | Date;

/** Kubernetes' list library: `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf`. */
export const registerListFunctions: Register = (environment, meter) => {
  environment.registerFunction('list.isSorted(): bool', (list: readonly unknown[]) => {
    const items = ordered(list, 'isSorted');
    return items.every((item, index) => index === 0 || (items[index - 1] as Ordered) <= item);
  });
  environment.registerFunction('list.sum(): dyn', sum);
  environment.registerFunction('list.min(): dyn', (list: readonly unknown[]) =>
    extreme(list, 'min', (a, b) => a < b),
  );
  environment.registerFunction('list.max(): dyn', (list: readonly unknown[]) =>
    extreme(list, 'max', (a, b) => a > b),
  );
  environment.registerFunction('list.indexOf(dyn): int', (list: readonly unknown[], item: unknown) => {
    meter.charge(list.length >> 3);
    return BigInt(list.findIndex((other) => isSame(item, other)));
  });
  environment.registerFunction('list.lastIndexOf(dyn): int', (list: readonly unknown[], item: unknown) => {
    meter.charge(list.length >> 3);
    return BigInt(list.findLastIndex((other) => isSame(item, other)));
  });
};

function sum(list: readonly unknown[]): bigint | number {
  if (list.every((item) => typeof item === 'bigint')) {
    const total = list.reduce((left, right) => left + right, 0n);
    if (BigInt.asIntN(64, total) === total) return total;
    throw new CelFailure('integer overflow in sum()');
  }
  if (list.every((item) => typeof item === 'number' || typeof item === 'bigint')) {
    return list.reduce((left: number, right) => left + Number(right), 0);
  }
  throw new CelFailure('sum() takes a list of numbers');
}

function extreme(
  list: readonly unknown[],
  name: string,
  isBetter: (a: Ordered, b: Ordered) => boolean,
): Ordered {
  const [first, ...rest] = ordered(list, name);
  if (first === undefined) throw new CelFailure(`${name}() takes a list that is not empty`);
  return rest.reduce((best, item) => (isBetter(item, best) ? item : best), first);
}

function ordered(list: readonly unknown[], name: string): readonly Ordered[] {
  const kinds = new Set(list.map(kindOf));
  if (kinds.size > 1 || kinds.has(undefined)) {
    throw new CelFailure(`${name}() takes a list of numbers, texts, booleans or timestamps, all of one type`);
  }
  return list as readonly Ordered[];
}

function kindOf(value: unknown): string | undefined {
  if (value instanceof Date) return 'timestamp';
  if (typeof value === 'bigint' || typeof value === 'number') return 'number';
  return typeof value === 'string' || typeof value === 'boolean' ? typeof value : undefined;
}

/** Simple values only, which is what lists are searched for. */
function isSame(left: unknown, right: unknown): boolean {
  // Numbers of both kinds compare by value; nothing else is coerced.
  if (kindOf(left) === 'number' && kindOf(right) === 'number') return (left as number) == (right as number);
  return left === right;
}
