import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export type Core = 'server' | 'load';

const NUMBER: Readonly<Record<Core, string>> = { server: '0', load: '1' };
const TASKSET = '/usr/bin/taskset';

/** Ratios are steadier when server and load generator keep to a core each. Needs two cores and `taskset`. */
export const canPin = availableParallelism() > 1 && existsSync(TASKSET);

/** Command and arguments that run this Node on one core, or anywhere. */
export function pinned(core?: Core): string[] {
  return core === undefined || !canPin ? [process.execPath] : [TASKSET, '-c', NUMBER[core], process.execPath];
}
