import { OP } from '../binary/opcodes.ts';
import { VALUE_TYPE } from '../binary/value-types.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { RESERVED } from '../instrumented.ts';
import type { Additions } from './additions.ts';
import { createBody } from './code-writer.ts';
import { MAX_PAGES, MAX_TABLE, SIZE_COST } from './cost-model.ts';

const I32 = VALUE_TYPE.i32;

/** Indices, in the rewritten module, of what guest code now uses. */
export interface RuntimeParts {
  readonly fuel: number;
  readonly pages: number;
  readonly pagesLimit: number;
  readonly tableLimit: number;
  /** `() -> ()`: asks for more fuel until it is not negative. */
  readonly refuel: number;
  /** `(pages) -> previous pages or −1` */
  readonly growMemory: number;
  /** `(elements) -> elements`: pays for an operation on a range of a table. */
  readonly payElements: number;
}

export function addRuntime(module: DecodedModule, additions: Additions): RuntimeParts {
  const fuel = additions.addGlobal();
  const pages = additions.addGlobal(I32, module.memory?.minimum ?? 0);
  const pagesLimit = additions.addGlobal(I32, MAX_PAGES);
  const tableLimit = additions.addGlobal(I32, MAX_TABLE);
  const refused = additions.addGlobal();
  additions.addExport(RESERVED.fuel, 3, fuel);
  additions.addExport(RESERVED.pages, 3, pages);
  additions.addExport(RESERVED.pagesLimit, 3, pagesLimit);
  additions.addExport(RESERVED.tableLimit, 3, tableLimit);
  additions.addExport(RESERVED.refused, 3, refused);
  if (module.memory !== undefined) additions.addExport(RESERVED.memory, 2, 0);
  const globals = { fuel, pages, pagesLimit, tableLimit };
  const refuel = addRefuel(additions, fuel);
  return {
    ...globals,
    refuel,
    growMemory: addGrowMemory(module, additions, { ...globals, refuel, refused }),
    payElements: addPayElements(additions, { ...globals, refuel }),
  };
}

type Globals = Pick<RuntimeParts, 'fuel' | 'pages' | 'pagesLimit' | 'tableLimit'>;

/**
 *   do {
 *     grant = refill(0 - fuel)
 *     if (grant < 0) unreachable
 *     fuel = fuel + grant
 *   } while (fuel < 0)
 */
function addRefuel(additions: Additions, fuel: number): number {
  const grant = 0;
  const body = createBody(1)
    .open(OP.loop)
    .i32(0)
    .at(OP.globalGet, fuel)
    .op(OP.i32Sub)
    .at(OP.call, additions.refill)
    .at(OP.localTee, grant)
    .i32(0)
    .op(OP.i32LtS)
    .open(OP.if)
    .op(OP.unreachable)
    .end()
    .at(OP.globalGet, fuel)
    .at(OP.localGet, grant)
    .op(OP.i32Add)
    .at(OP.globalSet, fuel)
    .at(OP.globalGet, fuel)
    .i32(0)
    .op(OP.i32LtS)
    .at(OP.brIf, 0)
    .end()
    .end();
  return additions.addFunction({ params: [], results: [] }, body);
}

/**
 *   if (delta > min(limit, declared maximum) - pages, unsigned, or pages are above that) { refused = 1; return -1 }
 *   pay delta * cost of a page
 *   missing = pages + delta - memory.size
 *   if (missing > 0 && memory.grow(missing) == -1) { refused = 1; return -1 }
 *   old = pages; pages = old + delta; return old
 */
function addGrowMemory(
  module: DecodedModule,
  additions: Additions,
  parts: Globals & { readonly refuel: number; readonly refused: number },
): number {
  const [delta, room] = [0, 1];
  const declared = Math.min(module.memory?.maximum ?? MAX_PAGES, MAX_PAGES);
  const body = createBody(1);
  if (module.memory === undefined) {
    return additions.addFunction({ params: [I32], results: [I32] }, body.i32(-1).end());
  }
  body
    .at(OP.globalGet, parts.pagesLimit)
    .i32(declared)
    .at(OP.globalGet, parts.pagesLimit)
    .i32(declared)
    .op(OP.i32LtU)
    .op(OP.select)
    .at(OP.globalGet, parts.pages)
    .op(OP.i32Sub)
    .at(OP.localTee, room)
    .i32(0)
    .op(OP.i32LtS)
    .at(OP.localGet, delta)
    .at(OP.localGet, room)
    .op(OP.i32GtU)
    .op(OP.i32Or)
    .open(OP.if)
    .i32(1)
    .at(OP.globalSet, parts.refused)
    .i32(-1)
    .op(OP.return)
    .end()
    .at(OP.globalGet, parts.fuel)
    .at(OP.localGet, delta)
    .i32(SIZE_COST.page)
    .op(OP.i32Mul)
    .op(OP.i32Sub)
    .at(OP.globalSet, parts.fuel)
    .at(OP.globalGet, parts.fuel)
    .i32(0)
    .op(OP.i32LtS)
    .open(OP.if)
    .at(OP.call, parts.refuel)
    .end()
    .at(OP.globalGet, parts.pages)
    .at(OP.localGet, delta)
    .op(OP.i32Add)
    .at(OP.memorySize, 0)
    .op(OP.i32Sub)
    .at(OP.localTee, room)
    .i32(0)
    .op(OP.i32GtS)
    .open(OP.if)
    .at(OP.localGet, room)
    .at(OP.memoryGrow, 0)
    .i32(-1)
    .op(OP.i32Eq)
    .open(OP.if)
    .i32(1)
    .at(OP.globalSet, parts.refused)
    .i32(-1)
    .op(OP.return)
    .end()
    .end()
    .at(OP.globalGet, parts.pages)
    .at(OP.globalGet, parts.pages)
    .at(OP.localGet, delta)
    .op(OP.i32Add)
    .at(OP.globalSet, parts.pages)
    .end();
  return additions.addFunction({ params: [I32], results: [I32] }, body);
}

/**
 *   pay min(n, largest table) * cost of an element; return n
 */
function addPayElements(additions: Additions, parts: Globals & { readonly refuel: number }): number {
  const n = 0;
  const body = createBody(0)
    .at(OP.globalGet, parts.fuel)
    .at(OP.localGet, n)
    .i32(MAX_TABLE)
    .at(OP.localGet, n)
    .i32(MAX_TABLE)
    .op(OP.i32LtU)
    .op(OP.select)
    .i32(SIZE_COST.element)
    .op(OP.i32Mul)
    .op(OP.i32Sub)
    .at(OP.globalSet, parts.fuel)
    .at(OP.globalGet, parts.fuel)
    .i32(0)
    .op(OP.i32LtS)
    .open(OP.if)
    .at(OP.call, parts.refuel)
    .end()
    .at(OP.localGet, n)
    .end();
  return additions.addFunction({ params: [I32], results: [I32] }, body);
}

/**
 * `(value, n) -> previous size or −1`, one for each table that code grows. The limit comes before the fuel: a refused
 * growth costs nothing.
 */
export function addGrowTable(
  additions: Additions,
  parts: RuntimeParts,
  table: { readonly index: number; readonly type: number },
): number {
  const [value, n, room] = [0, 1, 2];
  const body = createBody(1)
    .at(OP.globalGet, parts.tableLimit)
    .at(OP.tableSize, table.index)
    .op(OP.i32Sub)
    .at(OP.localTee, room)
    .i32(0)
    .op(OP.i32LtS)
    .at(OP.localGet, n)
    .at(OP.localGet, room)
    .op(OP.i32GtU)
    .op(OP.i32Or)
    .open(OP.if)
    .i32(-1)
    .op(OP.return)
    .end()
    .at(OP.localGet, value)
    .at(OP.localGet, n)
    .at(OP.call, parts.payElements)
    .at(OP.tableGrow, table.index)
    .end();
  return additions.addFunction({ params: [table.type, I32], results: [I32] }, body);
}
