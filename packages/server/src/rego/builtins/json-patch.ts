import { createSet, isEqual } from '../values/compare-values.ts';
import {
  isArray,
  isObject,
  RegoSet,
  type RegoArray,
  type RegoObject,
  type RegoValue,
} from '../values/rego-value.ts';
import { chargeValue, type Charge } from './charge.ts';
import { fail } from './operands.ts';

type Path = readonly RegoValue[];

/** RFC 6902 over Rego values: steps of a path may also be members of sets, and a path an array of steps. */
export function patchValue(target: RegoValue, operations: RegoArray, charge: Charge): RegoValue {
  return operations.reduce((value: RegoValue, operation) => {
    if (!isObject(operation)) return fail('must be an array of JSON-Patch objects');
    return apply(value, operation, charge);
  }, target);
}

function apply(target: RegoValue, operation: RegoObject, charge: Charge): RegoValue {
  const path = parsePath(operation.get('path'));
  const wanted = (): RegoValue => present(operation.get('value'), "missing required attribute 'value'");
  const from = (): Path => parsePath(operation.get('from'));
  switch (operation.get('op')) {
    case 'add':
      return insert(target, path, { value: wanted(), charge });
    case 'remove':
      return remove(target, path, charge);
    case 'replace':
      return insert(path.length === 0 ? target : remove(target, path, charge), path, {
        value: wanted(),
        charge,
      });
    case 'move': {
      const source = from();
      const value = find(target, source, charge);
      return insert(remove(target, source, charge), path, { value, charge });
    }
    case 'copy': {
      const value = find(target, from(), charge);
      // A copy of what holds a copy doubles: a few operations would write more than a machine can hold.
      chargeValue(charge, value);
      return insert(target, path, { value, charge });
    }
    case 'test': {
      const found = find(target, path, charge);
      chargeValue(charge, found);
      return isEqual(found, wanted()) ? target : fail('value is not the one of the test');
    }
    default:
      return fail('unrecognized op');
  }
}

function parsePath(path: RegoValue | undefined): Path {
  if (path !== undefined && isArray(path)) return path;
  if (typeof path !== 'string') return fail('a path must be a string or an array');
  if (path === '') return [];
  return path
    .replace(/^\/+/, '')
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

interface Addition {
  readonly value: RegoValue;
  readonly charge: Charge;
}

function insert(target: RegoValue, [step, ...rest]: Path, addition: Addition): RegoValue {
  if (step === undefined) return addition.value;
  if (rest.length > 0) {
    return replace(target, step, {
      with: insert(child(target, step, addition.charge), rest, addition),
      charge: addition.charge,
    });
  }
  const { value, charge } = addition;
  if (isArray(target)) {
    chargeCopy(charge, target);
    return target.toSpliced(step === '-' ? target.length : place(step, target.length), 0, value);
  }
  if (target instanceof RegoSet) {
    charge(target.members.length * 4);
    if (!isEqual(step, value)) return fail('a member of a set is added under itself');
    return createSet([...target.members, value]);
  }
  return replace(target, step, { with: value, charge });
}

function remove(target: RegoValue, [step, ...rest]: Path, charge: Charge): RegoValue {
  if (step === undefined) return fail('cannot remove everything');
  const found = child(target, step, charge);
  if (rest.length > 0) return replace(target, step, { with: remove(found, rest, charge), charge });
  chargeCopy(charge, target);
  if (isArray(target)) return target.toSpliced(place(step, target.length - 1), 1);
  if (target instanceof RegoSet) return createSet(target.members.filter((member) => !isEqual(member, step)));
  const copy = new Map(target as RegoObject);
  copy.delete(keyOf(copy, step));
  return copy;
}

function replace(
  target: RegoValue,
  step: RegoValue,
  change: { readonly with: RegoValue; readonly charge: Charge },
): RegoValue {
  chargeCopy(change.charge, target);
  if (isArray(target)) return target.with(place(step, target.length - 1), change.with);
  if (target instanceof RegoSet) {
    return createSet([...target.members.filter((member) => !isEqual(member, step)), change.with]);
  }
  if (!isObject(target)) return fail('a path through a value without members');
  const copy = new Map(target);
  return copy.set(keyOf(copy, step), change.with);
}

/** An array is copied faster than anything is looked for in it. */
function chargeCopy(charge: Charge, target: RegoValue): void {
  if (isArray(target)) charge(1 + (target.length >> 3));
  else if (target instanceof RegoSet) charge(target.members.length * 4);
  else if (isObject(target)) charge(target.size);
}

function find(target: RegoValue, path: Path, charge: Charge): RegoValue {
  return path.reduce((value: RegoValue, step) => child(value, step, charge), target);
}

function child(target: RegoValue, step: RegoValue, charge: Charge): RegoValue {
  charge(1);
  if (isArray(target)) return present(target[place(step, target.length - 1)], 'no such item');
  // Looked for one by one.
  if (target instanceof RegoSet) charge(target.members.length);
  else if (isObject(target) && !target.has(step)) charge(target.size);
  if (target instanceof RegoSet)
    return present(
      target.members.find((member) => isEqual(member, step)),
      'no such member',
    );
  if (!isObject(target)) return fail('a path through a value without members');
  return present(target.get(keyOf(target, step)), 'no such member');
}

/** Null is a value like any other. */
function present(value: RegoValue | undefined, problem: string): RegoValue {
  return value === undefined ? fail(problem) : value;
}

function keyOf(target: RegoObject, step: RegoValue): RegoValue {
  if (target.has(step)) return step;
  for (const key of target.keys()) if (isEqual(key, step)) return key;
  return step;
}

function place(step: RegoValue, most: number): number {
  const isIndex = typeof step === 'number' || (typeof step === 'string' && /^(?:0|[1-9]\d{0,8})$/.test(step));
  const index = isIndex ? Number(step) : -1;
  return Number.isInteger(index) && index >= 0 && index <= most ? index : fail('no index of the array');
}
