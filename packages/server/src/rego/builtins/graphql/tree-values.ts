import type { RegoValue } from '../../values/rego-value.ts';
import type { Charge } from '../charge.ts';

/** A part of a tree as a value, without what is null or empty. */
export function treeValue(part: object, charge: Charge): RegoValue {
  charge(12);
  const members = new Map<RegoValue, RegoValue>();
  for (const [name, item] of Object.entries(part) as readonly (readonly [string, unknown])[]) {
    const value = itemValue(item, charge);
    if (value !== undefined) members.set(name, value);
  }
  return members;
}

function itemValue(item: unknown, charge: Charge): RegoValue | undefined {
  if (item === undefined || item === null) return undefined;
  if (Array.isArray(item)) {
    const values = item.map((one: unknown) => itemValue(one, charge)).filter((one) => one !== undefined);
    return values.length === 0 ? undefined : values;
  }
  if (typeof item !== 'object') return item as string | number | boolean;
  const value = treeValue(item, charge);
  return value instanceof Map && value.size === 0 ? undefined : value;
}
