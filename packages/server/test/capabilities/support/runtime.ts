import type { Host } from '../../../src/kernel/ports.ts';
import { createHost } from '../../../src/app/create-host.ts';
import { clock, noLog } from '../../support/test-host.ts';

/** This machine, without a log. */
export function createRuntime(): Host {
  return createHost(clock, noLog);
}
