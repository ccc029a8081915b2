import type { ModuleInfo } from './module-info.ts';

/** A module after the rewrite: metered, capped, resettable. Bytes are ready for `WebAssembly.compile`. */
export interface InstrumentedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The module as it was before the rewrite. */
  readonly info: ModuleInfo;
  readonly layout: GuestLayout;
}

/**
 * What the rewrite added and the runtime relies on. All added exports start with {@link RESERVED_PREFIX}; a module that
 * exports such a name itself, or imports from module {@link RESERVED_MODULE}, is refused.
 *
 * Fuel is an i32 in the mutable global `FUEL`. The guest subtracts costs; below zero it calls the import `refill`
 * (type `(i32 deficit) -> i32 grant`, deficit > 0) and adds the grant. A grant below zero is the refusal: the guest runs into
 * `unreachable`. It asks again until the fuel is not negative. Fuel used = all that was granted − what is left, which is the
 * same whatever the slices were.
 */
export interface GuestLayout {
  readonly hasMemory: boolean;
  /** 64 KiB pages before any growth. */
  readonly initialPages: number;
  /** There was a start section; it is the export `START` now and has not run. */
  readonly hasStart: boolean;
  /** False: segments are dropped at run time or state exists that cannot be restored; every evaluation needs a fresh instance. */
  readonly resettable: boolean;
  /** Why not, for people; absent when resettable. */
  readonly freshBecause?: string;
}

export const RESERVED_PREFIX = 'portcullis:';
export const RESERVED_MODULE = 'portcullis';

/** Export names. */
export const RESERVED = {
  /** i32, mutable: fuel left in this slice. */
  fuel: 'portcullis:fuel',
  /** The linear memory, exported under this name too. */
  memory: 'portcullis:memory',
  /** i32, mutable: pages that the guest sees; `memory.size` and `memory.grow` act on it. */
  pages: 'portcullis:pages',
  /** i32, mutable: the most pages that `memory.grow` may reach; set by the runtime after instantiation. */
  pagesLimit: 'portcullis:pages-limit',
  /** i32, mutable: the most elements that `table.grow` may reach in each table. */
  tableLimit: 'portcullis:table-limit',
  /** i32, mutable: 1 when `memory.grow` was refused since the runtime set it to 0. */
  refused: 'portcullis:refused',
  /** `() -> ()`: the former start function, metered. */
  start: 'portcullis:start',
  /** `() -> ()`: copies every mutable global and every table that code can change to its shadow. */
  snapshot: 'portcullis:snapshot',
  /**
   * `() -> ()`: copies the shadows back; `pages` is among them, so read it before when it matters. Linear memory is the
   * runtime's.
   */
  reset: 'portcullis:reset',
} as const;
