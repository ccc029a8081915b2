import { isFault, type Fault } from '../../packages/server/src/kernel/fault.ts';

/** The value; throws when there is none, or a fault in its place. */
export function sound<T>(value: T | Fault | undefined): T {
  if (value === undefined) throw new Error('there is no value');
  if (isFault(value)) throw new Error(value.message);
  return value;
}
