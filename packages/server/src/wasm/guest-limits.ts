import { Fault } from '../kernel/fault.ts';
import type { CompiledModule } from './compiled-module.ts';

export interface GuestLimits {
  /** Bytes of linear memory. */
  readonly memoryBytes: number;
  /** Units for one evaluation. */
  readonly fuel: number;
  /** Elements of each table; default 100,000. */
  readonly tableElements?: number;
}

export const PAGE_BYTES = 65_536;
export const DEFAULT_TABLE_ELEMENTS = 100_000;

/** PC_MODULE_MEMORY when a module begins with more than its policy allows. */
export function checkLimits({ info, layout }: CompiledModule, limits: GuestLimits): Fault | undefined {
  const initial = layout.initialPages * PAGE_BYTES;
  if (initial > limits.memoryBytes) {
    return new Fault(
      'PC_MODULE_MEMORY',
      `the module starts with ${initial} bytes of memory; its limit is ${limits.memoryBytes}`,
      { data: { initial, limit: limits.memoryBytes } },
    );
  }
  const most = limits.tableElements ?? DEFAULT_TABLE_ELEMENTS;
  const table = info.tables.find((elements) => elements > most);
  if (table !== undefined) {
    return new Fault(
      'PC_MODULE_MEMORY',
      `the module starts with a table of ${table} elements; the limit is ${most}`,
    );
  }
  return undefined;
}
